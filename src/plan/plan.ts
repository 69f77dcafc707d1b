/** The planner: desired × observed × now → ordered actions, each with its reason. Pure; a dry run prints its result. */
import type { Action, Blocked, Plan } from '../model/plan.ts';
import { decide, decideAbsent, type Decision } from './decide.ts';
import type { Desired } from './desired.ts';
import { NOTHING, type Observed } from './observed.ts';
import { inOrder } from './order.ts';

/** Same inputs, same plan, byte for byte. */
export function makePlan(desired: Desired, observed: Observed, now: number): Plan {
  const decisions = decideAll(desired, observed, now);
  const actions: Action[] = [];
  const blocked: Blocked[] = [];
  const unchanged: string[] = [];
  const underWay: string[] = [];
  const unsettled = new Set<string>();
  let wakeAt: number | null = null;

  for (const [unit, decision] of decisions) {
    if (decision.kind !== 'unchanged') unsettled.add(unit);
    switch (decision.kind) {
      case 'act':
        actions.push(decision.action);
        break;
      case 'blocked':
        blocked.push(decision.blocked);
        if (decision.wakeAt !== null) wakeAt = Math.min(wakeAt ?? decision.wakeAt, decision.wakeAt);
        break;
      case 'under-way':
        underWay.push(unit);
        break;
      case 'unchanged':
        if (desired.apps.has(unit)) unchanged.push(unit);
        break;
    }
  }
  const ordered = inOrder(
    actions.map((action) => withAfter(action, desired, unsettled)),
    desired,
  );
  const count = (kinds: readonly Action['do'][]): number =>
    ordered.filter((action) => kinds.includes(action.do)).length;
  return {
    commit: desired.commit,
    actions: ordered,
    unchanged,
    under_way: underWay,
    blocked,
    counts: {
      start: count(['start', 'restart']),
      stop: count(['stop']),
      swap: count(['swap']),
      unchanged: unchanged.length,
    },
    next_pass_at: wakeAt,
  };
}

/** By name, so that the order of documents in the repository does not show. */
function decideAll(desired: Desired, observed: Observed, now: number): [string, Decision][] {
  const units = [...new Set([...desired.apps.keys(), ...observed.apps.keys()])].sort();
  return units.map((unit) => {
    const wanted = desired.apps.get(unit);
    const seen = observed.apps.get(unit) ?? { name: unit, ...NOTHING };
    return [unit, wanted === undefined ? decideAbsent(seen) : decide(wanted, seen, now)];
  });
}

/** A start or swap waits for what it declared to come after, as long as that is not as wanted. */
function withAfter(action: Action, desired: Desired, unsettled: ReadonlySet<string>): Action {
  if (action.do !== 'start' && action.do !== 'swap') return action;
  const after = (desired.apps.get(action.unit)?.app.after ?? []).filter((unit) => unsettled.has(unit));
  return after.length === 0 ? action : { ...action, after };
}
