/**
 * Looks after instances on timers that only run while there is something to look at: the end of adopted ones (nobody
 * tells us), and logs that grow.
 */
import type { Clock, Log, ProcessTable } from '../../src/ports.ts';
import { exists, isAlive } from './group.ts';
import type { Instance } from './instance.ts';
import type { LogFolder } from './log-file.ts';

export interface WatchOptions {
  readonly clock: Clock;
  readonly processes: ProcessTable;
  readonly log: Log;
  readonly logs: LogFolder;
  /** The instances that run now. */
  readonly running: () => readonly Instance[];
  /** Called once for an adopted instance whose process is no longer there. */
  readonly gone: (instance: Instance) => void;
  readonly pollMs: number;
  readonly rotateMs: number;
  readonly signal: AbortSignal;
}

export interface Watch {
  /** Call when an instance has been added. */
  wake(): void;
}

/** A watch that sleeps until `wake`, and again when nothing runs. The signal ends it. */
export function createWatch(options: WatchOptions): Watch {
  const { signal, log } = options;
  const ends = createLoop(options.clock, options.pollMs, signal, (turn) => checkAdopted(options, turn));
  const sizes = createLoop(options.clock, options.rotateMs, signal, () => checkLogs(options));
  const failed = (error: unknown): void => log.error('watching instances stopped', { error: String(error) });
  return {
    wake() {
      ends().catch(failed);
      sizes().catch(failed);
    },
  };
}

/** Runs `step` every `ms` until it returns false; a call while it runs does nothing. */
function createLoop(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  step: (turn: number) => Promise<boolean>,
): () => Promise<void> {
  let busy = false;
  return async () => {
    if (busy) return;
    busy = true;
    try {
      for (let turn = 0; !signal.aborted && (await step(turn)); turn++) await clock.sleep(ms, signal);
    } finally {
      busy = false;
    }
  };
}

async function checkAdopted(options: WatchOptions, turn: number): Promise<boolean> {
  const adopted = options.running().filter((one) => !one.child);
  for (const one of adopted) {
    const { pid, startTime } = one.record;
    if (pid === null) continue;
    // One system call tells that a pid is free. Only every other turn pays for reading, which a zombie or a reused
    // pid needs.
    const alive = exists(pid) && (turn % 2 === 0 || (await isAlive(pid, startTime, options.processes)));
    if (!alive && !options.signal.aborted) options.gone(one);
  }
  return adopted.length > 0;
}

async function checkLogs(options: WatchOptions): Promise<boolean> {
  const running = options.running();
  for (const one of running) {
    try {
      await options.logs.rotate(one.record.id);
    } catch (error) {
      options.log.warn('log could not be rotated', { instance: one.record.id, error: String(error) });
    }
  }
  return running.length > 0;
}
