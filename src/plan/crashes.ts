/** How often a live slot may end by itself: backoff between restarts, and the brake that ends in a hold. Pure. */
import { backoffMs, type BackoffPolicy } from '../base/backoff.ts';
import type { CrashHistory } from './observed.ts';

export interface FlapPolicy {
  readonly backoff: BackoffPolicy;
  /** More exits than this inside the window, and it is held. */
  readonly maxExits: number;
  readonly windowMs: number;
  /** Up for this long, the next exit counts as the first. */
  readonly stableMs: number;
}

export const FLAP: FlapPolicy = {
  backoff: { firstMs: 1000, capMs: 60_000 },
  maxExits: 5,
  windowMs: 600_000,
  stableMs: 60_000,
};

export interface CrashVerdict {
  readonly history: CrashHistory;
  readonly hold: boolean;
}

/** One more exit at `now`. `upMs`: how long the run lasted; `chance` in [0, 1) for the jitter. */
export function crashed(
  history: CrashHistory | null,
  exit: { readonly now: number; readonly upMs: number; readonly chance: number },
  policy: FlapPolicy = FLAP,
): CrashVerdict {
  const exits = [...(history?.exits ?? []).filter((at) => at > exit.now - policy.windowMs), exit.now];
  const attempts = exit.upMs >= policy.stableMs ? 1 : (history?.attempts ?? 0) + 1;
  const restartAt = exit.now + backoffMs(policy.backoff, attempts, exit.chance);
  return { history: { exits, attempts, restartAt }, hold: exits.length > policy.maxExits };
}
