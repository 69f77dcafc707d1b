/**
 * A response that goes on: text is written as the reader takes it. Nothing is queued here: a pump that is ahead of
 * its reader waits, and a reader that takes nothing for the limit is cut.
 */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../ports.ts';

export interface StreamWriter {
  /** Resolves when the reader has room for more; false when the stream is over (gone, cut or closing). */
  write(text: string): Promise<boolean>;
  /** Ends the stream now, whatever is still unsent. */
  cut(): void;
  /** Aborts when the stream is over. */
  readonly signal: AbortSignal;
}

/** A reader that takes nothing for this long is cut; it resumes where it was when it connects again. */
const STALL_MS = 30_000;

/** `over` aborts when the client has gone or the server closes; the writer aborts it when it cuts the stream. */
export function createStreamWriter(
  response: ServerResponse,
  over: AbortController,
  clock: Clock,
): StreamWriter {
  const end = over.signal;

  async function drained(): Promise<boolean> {
    const wake = new AbortController();
    const go = () => wake.abort();
    response.once('drain', go);
    end.addEventListener('abort', go, { once: true });
    const stalled = await clock.sleep(STALL_MS, end.aborted ? end : wake.signal);
    response.off('drain', go);
    end.removeEventListener('abort', go);
    if (stalled) cut();
    return !end.aborted;
  }

  function cut(): void {
    over.abort();
    response.destroy();
  }

  return {
    signal: end,
    cut,
    write: async (text) => {
      if (end.aborted || response.destroyed) return false;
      return response.write(text) ? true : drained();
    },
  };
}
