/** The files that `validate` judges: a working tree as it lies there, or the tree of a commit. Changes nothing. */
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { lstat, readFile, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { err, failure, ok } from '../base/result.ts';
import type { Result } from '../base/result.ts';
import type { SourceFile } from '../intent/file.ts';
import { MAX_FILE_BYTES, isIntentPath } from '../intent/parse.ts';

const run = promisify(execFile);
const GIT_LIMITS = { timeout: 60_000, maxBuffer: 256 * 1024 * 1024 };
const MAX_DEPTH = 64;

/** What lies in the folder: what git tracks or would track there, or every file where there is no git. */
export async function readTree(dir: string): Promise<Result<readonly SourceFile[]>> {
  const names =
    (await listByGit(dir)) ?? (await listByWalk(dir).catch((error: NodeJS.ErrnoException) => error));
  if (names instanceof Error)
    return err(
      failure('usage', `${dir} can't be read (${names.code ?? names.message}): name a folder with documents`),
    );
  const files: SourceFile[] = [];
  for (const path of names.filter(isIntentPath).toSorted()) {
    const file = await readOne(dir, path);
    if (file !== null) files.push(file);
  }
  return ok(files);
}

/** The documents of a commit in the repository at `dir`. */
export async function readRef(dir: string, ref: string): Promise<Result<readonly SourceFile[]>> {
  try {
    const named = await run(
      'git',
      ['-C', dir, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`],
      GIT_LIMITS,
    );
    const commit = named.stdout.trim();
    const listed = await run('git', ['-C', dir, 'ls-tree', '-r', '-z', '-l', commit, '--', '.'], GIT_LIMITS);
    const files: SourceFile[] = [];
    for (const line of listed.stdout.split('\0')) {
      const match = /^(\d+) (?:blob|commit) ([0-9a-f]+) +(\d+|-)\t([\s\S]+)$/.exec(line);
      if (match === null || !isIntentPath(match[4] as string)) continue;
      const [, mode = '', oid = '', size = '', path = ''] = match;
      files.push({ path, oid, mode, content: await readBlob(dir, oid, size) });
    }
    return ok(files);
  } catch {
    return err(failure('usage', `${ref} names no commit of the repository at ${dir}`));
  }
}

async function readBlob(dir: string, oid: string, size: string): Promise<SourceFile['content']> {
  if (size === '-') return 'missing';
  if (Number(size) > MAX_FILE_BYTES) return 'too-large';
  const { stdout } = await run('git', ['-C', dir, 'cat-file', 'blob', oid], {
    ...GIT_LIMITS,
    encoding: 'buffer',
  });
  return stdout;
}

async function listByGit(dir: string): Promise<string[] | null> {
  try {
    const listing = ['-C', dir, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const { stdout } = await run('git', listing, GIT_LIMITS);
    return [...new Set(stdout.split('\0').filter((name) => name !== ''))];
  } catch {
    return null;
  }
}

async function listByWalk(dir: string, below = '', depth = 0): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(join(dir, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (!entry.isDirectory()) names.push(path);
    else if (!entry.name.startsWith('.') && entry.name !== 'node_modules' && depth < MAX_DEPTH) {
      names.push(...(await listByWalk(dir, path, depth + 1)));
    }
  }
  return names;
}

/** Null when the file is gone meanwhile, or deleted in the work tree but still in the index. */
async function readOne(dir: string, path: string): Promise<SourceFile | null> {
  const full = join(dir, path);
  const info = await lstat(full).catch(() => null);
  if (info === null || info.isDirectory()) return null;
  if (info.isSymbolicLink()) {
    return source(path, '120000', Buffer.from(await readlink(full)));
  }
  const mode = (info.mode & 0o111) === 0 ? '100644' : '100755';
  if (info.size > MAX_FILE_BYTES) return { path, oid: '', mode, content: 'too-large' };
  return source(path, mode, await readFile(full));
}

function source(path: string, mode: string, content: Buffer): SourceFile {
  const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
  return { path, oid, mode, content };
}
