/** The plan is data: ordered actions, each with its reason. A dry run prints it; the executor performs it. */
import type { PlanCounts } from './commit-record.ts';

/** How the new live slot comes about: a fresh slot, the kept previous one booted again, or the one kept warm. */
export type SwapVia = 'new' | 'previous' | 'warm';

export type Action = StartAction | SwapAction | RestartAction | StopAction | PruneAction | CancelAction;

interface ActionBase {
  readonly unit: string;
  /** Why, in one phrase for a person. */
  readonly because: string;
  /** Units that must have converged first; already in order. */
  readonly after: readonly string[];
}

/** First deploy of an app: nothing of it is live. */
export interface StartAction extends ActionBase {
  readonly do: 'start';
  readonly to: string;
  readonly digest: string;
}

/** Another version or configuration takes the place of the live one without a gap. */
export interface SwapAction extends ActionBase {
  readonly do: 'swap';
  readonly via: SwapVia;
  readonly from: string;
  readonly to: string;
  readonly digest: string;
}

/** The live slot lacks processes (they ended, or never came back), or an operator asked: start fresh ones in place. */
export interface RestartAction extends ActionBase {
  readonly do: 'restart';
  readonly slot: string;
  readonly digest: string;
}

/** The unit is gone from intent. */
export interface StopAction extends ActionBase {
  readonly do: 'stop';
}

/** Runs of the unit that belong to no slot in use: left by a crash, or a warm version that is no longer wanted. */
export interface PruneAction extends ActionBase {
  readonly do: 'prune';
  readonly instances: readonly string[];
}

/** Work under way that intent no longer wants. */
export interface CancelAction extends ActionBase {
  readonly do: 'cancel';
}

/** A unit that is not as wanted and is left alone for now. */
export interface Blocked {
  readonly unit: string;
  readonly code: string;
  readonly reason: string;
  /** Milliseconds since the epoch; null: until intent, source or the world changes. */
  readonly until: number | null;
}

export interface Plan {
  readonly commit: string;
  readonly actions: readonly Action[];
  readonly unchanged: readonly string[];
  /** Units whose action has begun. */
  readonly under_way: readonly string[];
  readonly blocked: readonly Blocked[];
  readonly counts: PlanCounts;
  /** Milliseconds since the epoch at which to plan again though nothing happens; null: no need. */
  readonly next_pass_at: number | null;
}

/** A plan as it goes out: its times are RFC 3339 like all others. */
export type ShownPlan = Omit<Plan, 'blocked' | 'next_pass_at'> & {
  readonly blocked: readonly (Omit<Blocked, 'until'> & { readonly until: string | null })[];
  readonly next_pass_at: string | null;
};
