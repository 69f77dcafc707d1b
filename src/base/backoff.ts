/** Exponential backoff with jitter, pure: the chance comes in as an argument. */
export interface BackoffPolicy {
  readonly firstMs: number;
  readonly capMs: number;
}

/** Wait before attempt `attempt` (1 is the first retry): doubles up to the cap, then 0–20 % jitter on top. */
export function backoffMs(policy: BackoffPolicy, attempt: number, chance: number): number {
  const base = Math.min(policy.capMs, policy.firstMs * 2 ** Math.min(30, Math.max(0, attempt - 1)));
  return Math.round(base * (1 + 0.2 * chance));
}
