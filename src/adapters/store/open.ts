/**
 * Opens the daemon's one database: SQLite in WAL mode, synced before a call returns, locked for this process alone.
 * The lock is what keeps a second daemon off the same data folder. Decides how a failed opening is told, nothing else.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { err, failure, ok } from '../../base/result.ts';
import type { Failure, Result } from '../../base/result.ts';
import { messageOf } from '../../base/thrown.ts';
import type { Store, TokenTable } from '../../ports.ts';
import { openCommitTable } from './commit-table.ts';
import { openHoldTable } from './hold-table.ts';
import { migrate, SCHEMA_VERSION } from './migrations.ts';
import { openTokenTable } from './token-table.ts';
import { openValueTable } from './value-table.ts';

export interface OpenStore extends Store {
  readonly tokens: TokenTable;
}

/**
 * `file` is made with its folder when it is not there. Fails with `data-in-use` (another daemon holds it),
 * `store-corrupt`, `store-newer` (written by a newer Mainstay) or `store-unavailable` (permissions, disk).
 */
export function openStore({ file }: { readonly file: string }): Result<OpenStore> {
  let db: DatabaseSync | null = null;
  try {
    prepareFile(file);
    db = new DatabaseSync(file, { timeout: 0 });
    const found = begin(db);
    if (found > SCHEMA_VERSION) {
      db.close();
      return err(newer(file, found));
    }
    return ok(tables(db));
  } catch (error) {
    closeQuietly(db);
    return err(explain(error, file));
  }
}

function tables(db: DatabaseSync): OpenStore {
  return {
    commits: openCommitTable(db),
    holds: openHoldTable(db),
    values: openValueTable(db),
    tokens: openTokenTable(db),
    close: () => closeQuietly(db),
  };
}

/** Only made when absent: closing a second descriptor of an open database would drop its locks (POSIX). */
function prepareFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
}

/** The exclusive lock is taken by the first transaction and kept until the database is closed. */
function begin(db: DatabaseSync): number {
  db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('BEGIN IMMEDIATE; COMMIT');
  const check = db.prepare('PRAGMA quick_check(1)').get();
  const verdict = String(Object.values(check ?? {})[0]);
  if (verdict !== 'ok') throw new CorruptError(verdict);
  return migrate(db);
}

class CorruptError extends Error {}

function closeQuietly(db: DatabaseSync | null): void {
  try {
    if (db?.isOpen === true) db.close();
  } catch {
    // It is given up either way; what was acknowledged is on disk.
  }
}

/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

function explain(error: unknown, file: string): Failure {
  const code = primaryCode(error);
  const message = messageOf(error);
  if (code === SQLITE_BUSY || code === SQLITE_LOCKED) return inUse(file);
  if (error instanceof CorruptError || code === SQLITE_CORRUPT || code === SQLITE_NOTADB) {
    return failure(
      'store-corrupt',
      `${file} is damaged (${message}). Check the disk, then move ${file} and ${file}-wal aside and start again: ` +
        'intent, slots and written notes are not in it; made tokens, holds and notes not yet written are.',
      { details: { file } },
    );
  }
  return failure(
    'store-unavailable',
    `${file} cannot be opened (${message}). The data folder must be on a local disk with space left and be ` +
      'writable by this user.',
    { details: { file } },
  );
}

function inUse(file: string): Failure {
  const pid = daemonPid(dirname(file));
  const who = pid === null ? 'another process' : `a daemon with pid ${pid}`;
  return failure(
    'data-in-use',
    `${dirname(file)} is in use by ${who}. Stop that one first (SIGTERM), or give this one another folder with --data.`,
    { details: pid === null ? { file } : { file, pid } },
  );
}

/** From daemon.json, which the running daemon wrote; a hint for people only, so anything odd is no answer. */
function daemonPid(folder: string): number | null {
  try {
    const text = readFileSync(join(folder, 'daemon.json'), 'utf8');
    const value: unknown = JSON.parse(text);
    const pid = typeof value === 'object' && value !== null && 'pid' in value ? value.pid : null;
    return typeof pid === 'number' ? pid : null;
  } catch {
    return null;
  }
}

function newer(file: string, found: number): Failure {
  return failure(
    'store-newer',
    `${file} was written by a newer Mainstay (version ${found} of the tables; this one knows ${SCHEMA_VERSION}). ` +
      'Start that version, or a newer one.',
    { details: { file, found, known: SCHEMA_VERSION } },
  );
}

function primaryCode(error: unknown): number | null {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : null;
  return typeof code === 'number' ? code & 0xff : null;
}
