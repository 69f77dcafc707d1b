/** How a commit stands, from the plan that is left to do for it. Pure; `report` writes it down. */
import type { CommitState } from '../model/commit-record.ts';
import type { Plan } from '../model/plan.ts';

/** Blocks that end by themselves: the commit is still on its way. */
const WAITING: ReadonlySet<string> = new Set(['backing-off']);
/** Blocks that are the user's own wish, and say nothing about the commit. */
const WISHED: ReadonlySet<string> = new Set(['suspended']);
/** Blocks of what ran already and was then held, rather than of a change that failed. */
const HELD: ReadonlySet<string> = new Set(['crash-loop', 'held-on-failure']);

export interface Assessment {
  readonly state: Extract<CommitState, 'converging' | 'converged' | 'failed' | 'held'>;
  readonly reason: string | null;
}

export function assess(plan: Plan): Assessment {
  const blocked = plan.blocked.filter((block) => !WISHED.has(block.code));
  const final = blocked.filter((block) => !WAITING.has(block.code));
  const dead = new Set(final.map((block) => block.unit));
  const pending = plan.actions.filter((action) => !waitsForever(action.after, dead));
  if (pending.length > 0 || plan.under_way.length > 0 || blocked.length > final.length)
    return { state: 'converging', reason: null };
  if (final.length === 0) return { state: 'converged', reason: null };
  const reason = final.map((block) => `${block.unit}: ${block.reason}`).join('; ');
  return { state: final.every((block) => HELD.has(block.code)) ? 'held' : 'failed', reason };
}

/** What comes after a unit that has failed does not come. */
function waitsForever(after: readonly string[], dead: ReadonlySet<string>): boolean {
  return after.some((unit) => dead.has(unit));
}
