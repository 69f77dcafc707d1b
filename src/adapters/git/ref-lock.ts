/**
 * Takes a ref's lock file as git itself does (created exclusively, holds the new value, renamed over the ref), to build
 * something on the ref while nobody can move it. Only for writers that keep losing to others: git waits for a lock for
 * a tenth of a second and then fails, so it must be held shortly. A lock of ours that a crash leaves is found at start.
 */
import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import type { Clock } from '../../ports.ts';

const POLL_MS = 2;
const POLLS_MAX = 1000;

export interface RefLock {
  /** Durably moves the ref; the lock is then gone. */
  commit(oid: string): Promise<void>;
  /** Gives the lock back when it was not used. Idempotent. */
  release(): Promise<void>;
}

/** Null when the lock could not be had in time, or the ref is a symbolic one. `commonDir` holds `refs/`. */
export async function lockRef(commonDir: string, ref: string, clock: Clock): Promise<RefLock | null> {
  const file = path.join(commonDir, ref);
  await mkdir(path.dirname(file), { recursive: true });
  const handle = await create(`${file}.lock`, clock);
  if (handle === null) return null;
  let held = true;
  const release = async (): Promise<void> => {
    if (!held) return;
    held = false;
    await handle.close();
    await rm(`${file}.lock`, { force: true });
  };
  if ((await readFile(file, 'utf8').catch(() => '')).startsWith('ref:')) {
    await release();
    return null;
  }
  return {
    release,
    commit: async (oid) => {
      await handle.writeFile(`${oid}\n`);
      await handle.sync();
      await handle.close();
      await rename(`${file}.lock`, file);
      held = false;
      await syncFolder(path.dirname(file));
    },
  };
}

async function create(file: string, clock: Clock): Promise<Awaited<ReturnType<typeof open>> | null> {
  for (let poll = 0; poll < POLLS_MAX; poll += 1) {
    try {
      return await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o666);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    await clock.sleep(POLL_MS);
  }
  return null;
}

async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
