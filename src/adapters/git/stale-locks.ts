/**
 * Removes ref locks that a killed git left behind; with them every later push and note would fail. A lock is stale when
 * no live process can hold it: no git that works in this repository or has it in its arguments, and in a bare one
 * nothing at all that has it as its folder. Where that cannot be seen (another system than Linux, processes of other
 * users) a lock must be ten minutes old: git holds one for milliseconds. `index.lock` belongs to people and stays.
 */
import { lstat, readdir, readFile, readlink, rm } from 'node:fs/promises';
import path from 'node:path';

import type { Clock, Log } from '../../ports.ts';
import type { RepositoryPlace } from './repository-files.ts';

const OLD_MS = 10 * 60_000;

/** Run when a repository is opened, before anything of ours works on it. */
export async function removeStaleLocks(place: RepositoryPlace, clock: Clock, log: Log): Promise<void> {
  const locks = await findLocks(place);
  if (locks.length === 0) return;
  const holders = await possibleHolders(place);
  for (const lock of locks) {
    const ageMs = clock.now() - lock.modifiedMs;
    if (holders && ageMs < OLD_MS) continue;
    // Another one by now: its holder is alive.
    if ((await lstat(lock.file).catch(() => null))?.ino !== lock.inode) continue;
    await rm(lock.file, { force: true });
    log.warn('removed a lock that a killed git left behind', { file: lock.file, age_ms: Math.round(ageMs) });
  }
}

interface Lock {
  readonly file: string;
  readonly inode: number;
  readonly modifiedMs: number;
}

/** All ref locks of our own repository; in a person's repository only those of refs that only we move. */
async function findLocks(place: RepositoryPlace): Promise<Lock[]> {
  const within = place.bare ? ['refs'] : ['refs/mainstay'];
  const files = (await Promise.all(within.map((dir) => lockFiles(path.join(place.commonDir, dir))))).flat();
  const single = place.bare ? ['HEAD.lock', 'packed-refs.lock', 'config.lock'] : ['refs/notes/mainstay.lock'];
  const locks: Lock[] = [];
  for (const file of [...files, ...single.map((name) => path.join(place.commonDir, name))]) {
    const found = await lstat(file).catch(() => null);
    if (found?.isFile()) locks.push({ file, inode: found.ino, modifiedMs: found.mtimeMs });
  }
  return locks;
}

async function lockFiles(dir: string): Promise<string[]> {
  const names = await readdir(dir, { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.lock')).map((name) => path.join(dir, name));
}

/** True when some process may hold a lock here, or when that cannot be told. */
async function possibleHolders(place: RepositoryPlace): Promise<boolean> {
  const pids = (await readdir('/proc').catch(() => [])).filter(
    (name) => /^\d+$/.test(name) && name !== String(process.pid),
  );
  if (pids.length === 0) return true;
  for (const pid of pids) if (await mayHold(pid, place)) return true;
  return false;
}

async function mayHold(pid: string, place: RepositoryPlace): Promise<boolean> {
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => null);
  // Ended meanwhile.
  if (name === null) return false;
  const cwd = await readlink(`/proc/${pid}/cwd`).catch((error: NodeJS.ErrnoException) => error.code ?? '');
  const isGit = name.startsWith('git');
  if (cwd === 'EACCES' || cwd === 'EPERM') return isGit;
  const roots = [place.path, place.gitDir, place.commonDir];
  if (roots.some((root) => cwd === root || cwd.startsWith(`${root}/`))) return isGit || place.bare;
  if (!isGit) return false;
  const args = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return roots.some((root) => args.includes(root));
}
