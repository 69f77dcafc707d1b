/**
 * The level-triggered loop: one pass at a time, asked for by `wake`, by the time that the last pass named, or by the
 * backstop. What woke it is not remembered; each pass looks at the world again.
 */
import { messageOf, traceOf } from '../../base/thrown.ts';
import type { Clock, Log } from '../../ports.ts';

export interface Loop {
  wake(): void;
  /** Resolves when the last pass has ended. The signal given to `runLoop` ends it. */
  readonly done: Promise<void>;
}

export interface LoopParts {
  readonly clock: Clock;
  readonly log: Log;
  /** One pass; resolves with the time at which to pass again though nothing happens, or null. */
  readonly pass: () => Promise<number | null>;
  /** A pass at least this often. */
  readonly backstopMs: number;
  /** Told after every pass: null, or why it could not be made to its end. */
  readonly onEnd: (problem: string | null) => void;
  readonly signal: AbortSignal;
}

/** After a pass that threw (a full disk, a bug), the loop waits this long, so that a broken world is not hammered. */
const AFTER_BUG_MS = 1000;

export function runLoop(parts: LoopParts): Loop {
  let woken = true;
  let alarm = new AbortController();
  const wake = (): void => {
    woken = true;
    alarm.abort();
  };
  const done = (async () => {
    while (!parts.signal.aborted) {
      woken = false;
      alarm = new AbortController();
      const next = await safely(parts);
      if (woken) continue;
      const now = parts.clock.now();
      const wait = Math.max(0, Math.min(parts.backstopMs, (next ?? Infinity) - now));
      await parts.clock.sleep(wait, AbortSignal.any([alarm.signal, parts.signal]));
    }
  })();
  return { wake, done };
}

async function safely(parts: LoopParts): Promise<number | null> {
  try {
    const next = await parts.pass();
    parts.onEnd(null);
    return next;
  } catch (error) {
    if (parts.signal.aborted) return null;
    parts.onEnd(messageOf(error));
    parts.log.error('a pass failed unexpectedly', {
      error: traceOf(error),
    });
    return parts.clock.now() + AFTER_BUG_MS;
  }
}
