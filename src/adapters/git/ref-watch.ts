/**
 * Wakes whoever reads refs: file events on `refs/`, `packed-refs` and HEAD, and a periodic look at all branches and
 * tags in case an event was lost. Level-triggered and coalesced: it says "look again", never what happened.
 */
import path from 'node:path';

import { watch } from 'chokidar';
import type { FSWatcher } from 'chokidar';

import type { Clock, Log } from '../../ports.ts';
import type { Git } from './git-command.ts';
import type { RepositoryPlace } from './repository-files.ts';

export interface RefWatchOptions {
  readonly place: RepositoryPlace;
  readonly git: Git;
  readonly clock: Clock;
  readonly log: Log;
  /** Between two looks without an event. */
  readonly resolveEveryMs: number;
}

/** Yields once when the watch stands, then whenever refs may have changed. Ends when the signal is aborted. */
export async function* watchRefs(options: RefWatchOptions, signal: AbortSignal): AsyncGenerator<void> {
  const { commonDir, gitDir } = options.place;
  let dirty = true;
  let wake: () => void = () => undefined;
  const look = (): void => {
    dirty = true;
    wake();
  };
  // Everything that may stir is set up before the first look, so nothing falls between.
  // Folders, not files: git replaces files whole, and `packed-refs` may not be there yet.
  const watcher = watch([...new Set([commonDir, gitDir])], {
    ignoreInitial: true,
    ignored: (file) => !holdsRefs(options.place, file),
  });
  watcher.on('all', look);
  watcher.on('error', (error) =>
    options.log.warn('watching refs failed; the periodic look goes on', { error: String(error) }),
  );
  const ended = new AbortController();
  const stop = (): void => {
    ended.abort();
    wake();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const periodic = lookPeriodically(options, look, ended.signal);
  try {
    await ready(watcher, ended.signal);
    while (!ended.signal.aborted) {
      if (dirty) {
        dirty = false;
        yield;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    ended.abort();
    await Promise.all([watcher.close(), periodic]);
  }
}

async function lookPeriodically(
  options: RefWatchOptions,
  look: () => void,
  signal: AbortSignal,
): Promise<void> {
  let last = await fingerprint(options);
  while (await options.clock.sleep(options.resolveEveryMs, signal)) {
    const now = await fingerprint(options);
    if (now !== last) look();
    last = now;
  }
}

async function fingerprint(options: RefWatchOptions): Promise<string | null> {
  try {
    // `%(HEAD)` marks the branch that is checked out.
    const format = '--format=%(HEAD) %(objectname) %(refname)';
    return (await options.git.must(['for-each-ref', format, 'refs/heads', 'refs/tags'])).toString();
  } catch (error) {
    options.log.warn('looking at refs failed', { error: String(error) });
    return null;
  }
}

/** Notes and internal refs move because of us, and say nothing about intent. Locks come and go with every move. */
function holdsRefs(place: RepositoryPlace, file: string): boolean {
  if (file === place.gitDir || file === path.join(place.gitDir, 'HEAD')) return true;
  const relative = path.relative(place.commonDir, file);
  if (relative === '' || relative === 'refs' || relative === 'packed-refs') return true;
  if (!relative.startsWith('refs/') || relative.endsWith('.lock')) return false;
  return !/^refs\/(?:notes|mainstay)(?:\/|$)/.test(relative);
}

function ready(watcher: FSWatcher, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    watcher.once('ready', () => resolve());
  });
}
