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
  const depths = depthOf(desired);
  const key = (action: Action): number =>
    RANK[action.do] * 10_000 + (RANK[action.do] === 4 ? (depths.get(action.unit) ?? 0) : 0);
  return [...actions].sort((a, b) => key(a) - key(b) || (a.unit < b.unit ? -1 : a.unit > b.unit ? 1 : 0));
}

/** Longest chain of `after` below each app. Cycles were refused by validation; one here counts as no dependency. */
function depthOf(desired: Desired): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  const visit = (name: string, path: ReadonlySet<string>): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const after = desired.apps.get(name)?.app.after ?? [];
    const below = after
      .filter((other) => !path.has(other))
      .map((other) => visit(other, new Set([...path, name])) + 1);
    const depth = Math.max(0, ...below);
    depths.set(name, depth);
    return depth;
  };
  for (const name of desired.apps.keys()) visit(name, new Set([name]));
  return depths;
}
