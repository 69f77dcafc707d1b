/**
 * Says that a source may have moved: file events for repositories of this machine, with a slow look as the backstop,
 * and a poll for URLs. Level-triggered: many changes are one wake-up, and the reader resolves again.
 */
import { watch as watchFiles, type FSWatcher } from 'chokidar';
import { join } from 'node:path';
import type { SourceRef } from '../../model/source.ts';
import type { Clock, Log, Random, SourceStore } from '../../ports.ts';
import { sourceGitEnvironment } from '../system/git-environment.ts';
import { runProgram } from '../system/run-program.ts';
import { findGitDir, locate, type Location } from './location.ts';
import type { Mirror } from './mirror.ts';

export interface SourceWatchOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly pollMs: number;
  readonly intentGitDir: string;
  readonly mirrorOf: (remote: Extract<Location, { kind: 'remote' }>) => Mirror;
}

/** Several refs change within one push; one wake-up is enough for them. */
const SETTLE_MS = 20;

export interface SourceWatch {
  readonly watch: SourceStore['watch'];
  readonly reread: SourceStore['reread'];
}

/** `sources` is read again at each poll, each wake-up, and when asked to. */
export function createSourceWatch(options: SourceWatchOptions): SourceWatch {
  const bells = new Set<() => void>();
  return {
    watch: (sources, signal) => wakeUps(options, sources, signal, bells),
    reread() {
      for (const ring of bells) ring();
    },
  };
}

async function* wakeUps(
  options: SourceWatchOptions,
  sources: () => readonly SourceRef[],
  signal: AbortSignal,
  bells: Set<() => void>,
): AsyncGenerator<void> {
  const bell = createBell(signal);
  bells.add(bell.ring);
  const files = createFileWatch(bell.ring, options.log);
  const refs = new Map<string, string>();
  let nextPoll = 0;
  try {
    while (!signal.aborted) {
      const wanted = new Map(sources().flatMap((source) => target(source, options)));
      await files.follow([...wanted.values()].filter((entry) => entry.kind === 'local'));
      if (options.clock.now() >= nextPoll) {
        // Spread over a fifth of the interval, so that many daemons do not ask a server in step.
        nextPoll = options.clock.now() + options.pollMs * (0.9 + 0.2 * options.random.next());
        if (await anyMoved([...wanted.values()], refs, options, signal)) yield;
        continue;
      }
      if (await bell.wait(nextPoll - options.clock.now(), options.clock)) {
        await options.clock.sleep(SETTLE_MS, signal);
        bell.clear();
        if (!signal.aborted) yield;
      }
    }
  } finally {
    bells.delete(bell.ring);
    await files.close();
  }
}

type Target =
  | { readonly kind: 'local'; readonly key: string; readonly path: string }
  | { readonly kind: 'remote'; readonly key: string; readonly mirror: Mirror; readonly shown: string };

function target(source: SourceRef, options: SourceWatchOptions): readonly (readonly [string, Target])[] {
  const location = locate(source.repo);
  switch (location.kind) {
    case 'intent':
      // Without a ref it is the intent commit itself, whose own watch reports it.
      return source.ref === null ? [] : [['.', { kind: 'local', key: '.', path: options.intentGitDir }]];
    case 'local':
      return [[location.path, { kind: 'local', key: location.path, path: location.path }]];
    case 'remote': {
      const mirror = options.mirrorOf(location);
      return [[location.id, { kind: 'remote', key: location.id, mirror, shown: location.shown }]];
    }
    case 'refused':
      return [];
  }
}

async function anyMoved(
  targets: readonly Target[],
  refs: Map<string, string>,
  options: SourceWatchOptions,
  signal: AbortSignal,
): Promise<boolean> {
  let moved = false;
  for (const entry of targets) {
    if (signal.aborted) return false;
    if (entry.kind === 'remote') {
      const refreshed = await entry.mirror.refresh(0, signal);
      if (refreshed.ok) moved ||= refreshed.value.moved;
      else if (!signal.aborted)
        options.log.warn('source cannot be polled', { repository: entry.shown, code: refreshed.error.code });
    } else {
      const now = await listRefs(entry.path, signal);
      const before = refs.get(entry.key);
      refs.set(entry.key, now);
      moved ||= before !== undefined && before !== now;
    }
  }
  return moved;
}

/** All refs as one text; the backstop for file events that were lost, or that the file system never sends. */
async function listRefs(path: string, signal: AbortSignal): Promise<string> {
  const gitDir = await findGitDir(path);
  if (gitDir === null) return '';
  const args = [`--git-dir=${gitDir}`, 'for-each-ref', '--format=%(objectname) %(refname)'];
  const listed = await runProgram('git', args, { env: sourceGitEnvironment(), signal });
  return listed.stdout.toString('utf8');
}

interface FileWatch {
  follow(targets: readonly { readonly path: string }[]): Promise<void>;
  close(): Promise<void>;
}

function createFileWatch(ring: () => void, log: Log): FileWatch {
  const watchers = new Map<string, FSWatcher>();
  return {
    async follow(targets) {
      const wanted = new Set(targets.map((entry) => entry.path));
      for (const [path, watcher] of watchers) {
        if (wanted.has(path)) continue;
        watchers.delete(path);
        await watcher.close();
      }
      for (const path of wanted) {
        if (watchers.has(path)) continue;
        const gitDir = await findGitDir(path);
        if (gitDir === null) continue;
        watchers.set(path, openWatcher(gitDir, ring, log));
      }
    },
    async close() {
      await Promise.all([...watchers.values()].map((watcher) => watcher.close()));
      watchers.clear();
    },
  };
}

/** Refs only: the objects beside them change far more often and say nothing. */
function openWatcher(gitDir: string, ring: () => void, log: Log): FSWatcher {
  const watched = [join(gitDir, 'refs'), join(gitDir, 'packed-refs'), join(gitDir, 'HEAD')];
  const watcher = watchFiles(watched, { ignoreInitial: true, ignored: (path) => path.endsWith('.lock') });
  watcher.on('all', (event) => {
    if (event !== 'addDir' && event !== 'unlinkDir') ring();
  });
  // What changed before it was ready would be lost otherwise.
  watcher.once('ready', ring);
  watcher.on('error', (error) => log.warn('source file events failed', { reason: String(error) }));
  return watcher;
}

interface Bell {
  readonly ring: () => void;
  clear(): void;
  /** True when it rang (also before the wait), false when the time passed or the signal came. */
  wait(ms: number, clock: Clock): Promise<boolean>;
}

function createBell(signal: AbortSignal): Bell {
  let rung = false;
  let waiter = new AbortController();
  return {
    ring() {
      rung = true;
      waiter.abort();
    },
    clear() {
      rung = false;
    },
    async wait(ms, clock) {
      if (rung) return true;
      waiter = new AbortController();
      await clock.sleep(Math.max(ms, 1), AbortSignal.any([signal, waiter.signal]));
      return rung;
    },
  };
}
