/** The machine's clock. Decides nothing; tests and the simulator bring their own. */
import type { Clock } from '../../ports.ts';

/** Longest time that one Node timer can hold. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Wall time and real timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    for (let left = ms; ; left -= TIMER_MAX_MS) {
      if (signal?.aborted === true) return false;
      if (!(await waitOnce(Math.min(Math.max(left, 0), TIMER_MAX_MS), signal))) return false;
      if (left <= TIMER_MAX_MS) return true;
    }
  },
};

function waitOnce(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (passed: boolean): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      resolve(passed);
    };
    const onAbort = (): void => end(false);
    const timer = setTimeout(() => end(true), ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
