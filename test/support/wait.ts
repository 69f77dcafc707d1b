/** Waiting in tests: polling with a limit, and a limit around a promise. No test sleeps for a fixed time. */
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 15;

/**
 * Calls `probe` until it returns something other than undefined, null or false, and returns that. An error that it
 * throws counts as "not yet"; at the limit the last one is the cause of the failure.
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T> | T,
  limitMs = 20_000,
): Promise<NonNullable<T>> {
  const end = Date.now() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= end) {
      const why = last instanceof Error ? `: ${last.message}` : '';
      throw new Error(`not within ${limitMs} ms: ${what}${why}`, { cause: last });
    }
    await delay(POLL_MS);
  }
}

/** Fails when `holds` stops being true (or throws) at any poll during `forMs`. For "nothing happens" checks. */
export async function stays(
  what: string,
  holds: () => Promise<boolean> | boolean,
  forMs: number,
): Promise<void> {
  const end = Date.now() + forMs;
  while (Date.now() < end) {
    if (!(await holds())) throw new Error(`did not stay so: ${what}`);
    await delay(POLL_MS);
  }
}

/** The promise's result, or an error that names what was waited for. */
export async function within<T>(what: string, promise: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${what}`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
