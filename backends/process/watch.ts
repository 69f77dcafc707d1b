/**
 * Looks after instances on timers that only run while there is something to look at: the end of adopted ones (nobody
 * tells us), and logs that grow.
 */
import type { Clock, Log, ProcessTable } from '../../src/ports.ts';
import { isAlive } from './group.ts';
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
  const ends = createLoop(options, options.pollMs, () => checkAdopted(options));
  const sizes = createLoop(options, options.rotateMs, () => checkLogs(options));
  return {
    wake() {
      void ends();
      void sizes();
    },
  };
}

/** Runs `step` every `ms` until it returns false; a call while it runs makes sure of one more look. Never rejects. */
function createLoop(options: WatchOptions, ms: number, step: () => Promise<boolean>): () => Promise<void> {
  const { clock, signal, log } = options;
  let busy = false;
  let again = false;

  async function goesOn(): Promise<boolean> {
    try {
      again = false;
      return await step();
    } catch (error) {
      log.warn('instances could not be looked at', { error: String(error) });
      return true;
    }
  }

  return async () => {
    again = true;
    if (busy) return;
    busy = true;
    while (!signal.aborted && ((await goesOn()) || again)) await clock.sleep(ms, signal);
    busy = false;
  };
}

async function checkAdopted(options: WatchOptions): Promise<boolean> {
  const adopted = options.running().filter((one) => !one.child);
  for (const one of adopted) {
    const { pid, startTime } = one.record;
    if (pid === null) continue;
    const alive = await isAlive(pid, startTime, options.processes);
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
