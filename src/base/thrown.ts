/** What was thrown, in words. Anything can be thrown, so `catch` gives no promise of an Error. */

/** For people. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** For the log alone: with where it came from. */
export function traceOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
