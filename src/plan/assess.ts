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
  const stuck = stuckUnits(plan);
  const pending = plan.actions.filter((action) => !stuck.has(action.unit));
  if (pending.length > 0 || plan.under_way.length > 0 || blocked.length > final.length)
    return { state: 'converging', reason: null };
  if (final.length > 0) {
    const reason = final.map((block) => `${block.unit}: ${block.reason}`).join('; ');
    return { state: final.every((block) => HELD.has(block.code)) ? 'held' : 'failed', reason };
  }
  if (plan.actions.length === 0) return { state: 'converged', reason: null };
  const waits = plan.actions.map(({ unit, after }) => `${unit}: waits for ${after.join(', ')}`);
  return { state: 'held', reason: `${waits.join('; ')}; what is suspended has to be resumed first` };
}

/** Units that nothing will be done for by itself, and all that comes after them. */
function stuckUnits(plan: Plan): ReadonlySet<string> {
  const stuck = new Set(plan.blocked.filter((block) => !WAITING.has(block.code)).map((block) => block.unit));
  for (let before = -1; before < stuck.size;) {
    before = stuck.size;
    for (const { unit, after } of plan.actions) if (after.some((other) => stuck.has(other))) stuck.add(unit);
  }
  return stuck;
}
