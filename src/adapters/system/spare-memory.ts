/**
 * Gives back what the start and bursts of work have left in the heap: V8 keeps the room for the next burst, and a daemon
 * that mostly waits would hold it for days. Only where the launcher allowed it (--expose-gc), only while nothing
 * happens, and only while the heap is small enough for that to take an instant.
 */

const LOOK_EVERY_MS = 2_000;
/** Less processor time than this between two looks is idle. */
const IDLE_CPU_MS = 20;
/** Growth that is worth a collection. */
const GROWN_BYTES = 4 * 1024 * 1024;
/** Up to here a collection takes an instant; a larger heap is in use. */
const SMALL_HEAP_BYTES = 96 * 1024 * 1024;

/** Looks now and then until `close`; never keeps the process alive. */
export function spareMemory(): { readonly close: () => void } {
  const collect = globalThis.gc;
  if (collect === undefined) return { close: () => undefined };
  let rssAfter = 0;
  let usage = process.cpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(usage);
    usage = process.cpuUsage();
    if ((user + system) / 1000 > IDLE_CPU_MS) return;
    const { rss, heapTotal } = process.memoryUsage();
    if (heapTotal > SMALL_HEAP_BYTES || rss < rssAfter + GROWN_BYTES) return;
    collect({ type: 'major', flavor: 'last-resort', execution: 'sync' });
    rssAfter = process.memoryUsage.rss();
    usage = process.cpuUsage();
  }, LOOK_EVERY_MS).unref();
  return { close: () => clearInterval(timer) };
}
