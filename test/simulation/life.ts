/**
 * One life of the daemon. Every way from it into the world is a step, and every step may be its last: from then on none
 * of its waits ends and nothing that it still does has any effect.
 */
import type { Clock } from '../../src/ports.ts';
import type { Schedule } from './schedule.ts';

export interface Life {
  /** 1 for the first daemon of the world. */
  readonly number: number;
  readonly alive: boolean;
  /** Resolves when the turn of this step comes. `what` names it in the trace. */
  step(what: string, delayMs?: number): Promise<void>;
  /** A step that cannot be waited for (a synchronous write). */
  mark(what: string): void;
  /** The daemon's own view of time: its sleeps end with it. */
  readonly clock: Clock;
  onDeath(job: () => void): void;
  crash(): void;
}

export interface LifeParts {
  readonly number: number;
  readonly schedule: Schedule;
  /** Told of each step before it begins; true: the daemon dies here. */
  readonly fatal: (what: string) => boolean;
  /** How long a step takes when nothing is said of it. */
  readonly delay: (what: string) => number;
}

export function createLife({ number, schedule, fatal, delay }: LifeParts): Life {
  let alive = true;
  const pending = new Set<() => void>();
  const deaths: (() => void)[] = [];

  function wait(ms: number, then: () => void): () => void {
    const cancel = schedule.at(schedule.now() + ms, () => {
      pending.delete(cancel);
      then();
    });
    pending.add(cancel);
    return () => {
      pending.delete(cancel);
      cancel();
    };
  }

  const life: Life = {
    number,
    get alive() {
      return alive;
    },
    step(what, delayMs) {
      life.mark(what);
      return new Promise((resolve) => {
        if (alive) wait(delayMs ?? delay(what), resolve);
      });
    },
    mark(what) {
      if (alive && fatal(what)) life.crash();
    },
    clock: {
      now: () => schedule.now(),
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (!alive) return;
          if (signal?.aborted === true) return resolve(false);
          const onAbort = (): void => {
            cancel();
            if (alive) resolve(false);
          };
          const cancel = wait(Math.max(0, ms), () => {
            signal?.removeEventListener('abort', onAbort);
            resolve(true);
          });
          signal?.addEventListener('abort', onAbort, { once: true });
        }),
    },
    onDeath: (job) => void deaths.push(job),
    crash() {
      if (!alive) return;
      alive = false;
      for (const cancel of pending) cancel();
      pending.clear();
      for (const job of deaths) job();
    },
  };
  return life;
}
