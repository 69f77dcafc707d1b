/** Reads the lines that instances of the memory world have written. */
import type { LogLine, LogQuery } from '../../src/ports.ts';
import type { MemoryWorld } from './world.ts';

/** As the process backend's: ends at the last line, or when following once the instance has ended, or on abort. */
export async function* readMemoryLog(
  world: MemoryWorld,
  id: string,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<LogLine, void, undefined> {
  const log = world.lines(id);
  const held = log.first + log.kept.length;
  let at = query.tail === undefined ? log.first : Math.max(log.first, held - Math.max(0, query.tail));
  while (!signal.aborted) {
    const last = query.follow !== true || world.runs.get(id)?.exit !== null;
    at = Math.max(at, log.first);
    for (; at < log.first + log.kept.length; at++) {
      yield { at: null, stream: 'stdout', text: log.kept[at - log.first] ?? '' };
      if (signal.aborted) return;
    }
    if (last) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        log.waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      log.waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
