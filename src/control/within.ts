/** A time limit on somebody else's work, by the clock port, so that time in tests is the only time there is. */
import type { Context } from './context.ts';

/** Runs the job with a signal that also fires at the limit; the timer ends with the job. */
export async function within<T>(
  ctx: Context,
  limitMs: number,
  signal: AbortSignal,
  job: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const ended = new AbortController();
  void ctx.ports.clock.sleep(limitMs, ended.signal).then((passed) => {
    if (passed) limit.abort();
  });
  try {
    return await job(AbortSignal.any([signal, limit.signal]));
  } finally {
    ended.abort();
  }
}
