/** The order in which actions are begun: make room first, then keep alive, then bring up what others come after. */
import type { Action } from '../model/plan.ts';
import type { Desired } from './desired.ts';

const RANK: Readonly<Record<Action['do'], number>> = {
  cancel: 0,
  prune: 1,
  stop: 2,
  restart: 3,
  start: 4,
  swap: 4,
};

export function inOrder(actions: readonly Action[], desired: Desired): readonly Action[] {
  if (actions.length < 2) return actions;
  const depthOf = depths(desired);
  const key = (action: Action): number =>
    RANK[action.do] * 10_000 + (RANK[action.do] === 4 ? depthOf(action.unit) : 0);
  return [...actions].sort((a, b) => key(a) - key(b) || (a.unit < b.unit ? -1 : a.unit > b.unit ? 1 : 0));
}

/** Longest chain of `after` below an app. Cycles were refused by validation; one here counts as no dependency. */
function depths(desired: Desired): (unit: string) => number {
  const known = new Map<string, number>();
  const visit = (name: string, path: ReadonlySet<string>): number => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const after = desired.apps.get(name)?.app.after ?? [];
    const below = after
      .filter((other) => !path.has(other))
      .map((other) => visit(other, new Set([...path, name])) + 1);
    const depth = Math.max(0, ...below);
    known.set(name, depth);
    return depth;
  };
  return (unit) => visit(unit, new Set([unit]));
}
