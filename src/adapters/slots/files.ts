/**
 * Every change that the slot store makes on disk, one operation a function, so that a test can stop the world between
 * any two of them. Decides nothing.
 */
import { open, mkdir, rename, rm, symlink, chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileDurable } from '../system/durable-file.ts';
import { runProgram } from '../system/run-program.ts';
import { copyTree } from './copy-tree.ts';

/** What others write to the same file system is waited for as well, so this must not hold up a promotion for long. */
const SYNC_LIMIT_MS = 250;

export interface Files {
  /** With its parents; fine when it is there. */
  makeFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A file, a link (not what it points to) or a whole folder; fine when it is not there. */
  remove(path: string): Promise<void>;
  link(target: string, path: string): Promise<void>;
  /** Plain: for what can be made again. */
  write(path: string, text: string | Uint8Array): Promise<void>;
  /** Whole or not at all, and on disk when it resolves. */
  writeDurable(path: string, text: string): Promise<void>;
  /** At the end of the file, and on disk when it resolves. */
  append(path: string, text: string): Promise<void>;
  sync(folder: string): Promise<void>;
  /** Asks the system to put everything below a folder on disk, and waits a short while for it. */
  syncTree(folder: string): Promise<void>;
  /** Copies a folder's content into a new folder, sharing blocks where the file system can. False: cut short. */
  copyTree(from: string, to: string, signal: AbortSignal): Promise<boolean>;
}

/** The real disk. `marker` goes into the environment of the programs that it starts. */
export function createDiskFiles(marker: Readonly<Record<string, string>>): Files {
  return {
    makeFolder: async (path) => void (await mkdir(path, { recursive: true })),
    rename,
    remove,
    link: (target, path) => symlink(target, path),
    write: (path, text) => writeFile(path, text),
    writeDurable: (path, text) => writeFileDurable(path, text, 0o644),
    append,
    sync: syncFolder,
    syncTree,
    copyTree: (from, to, signal) => copyTree(from, to, { signal, marker }),
  };
}

async function append(path: string, text: string): Promise<void> {
  const file = await open(path, 'a', 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** One call for the whole file system is far cheaper than one for each of thousands of files. */
async function syncTree(folder: string): Promise<void> {
  await runProgram('sync', ['-f', folder], { env: { PATH: process.env['PATH'] }, timeoutMs: SYNC_LIMIT_MS });
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // A build may leave folders that even their owner cannot change.
    await openFolders(path);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function openFolders(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await openFolders(join(path, entry.name));
  }
}
