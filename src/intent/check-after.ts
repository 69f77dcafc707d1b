/** The order of apps: `after` names apps that exist, and never leads back to where it began. */
import type { Complaint, PlacedApp } from './complaint.ts';
import { didYouMean, printable, shown } from './words.ts';

const MAX_PRINTED = 12;

/** Unknown apps in `after`, and cycles. `broken`: names that may exist in broken documents; null: any may. */
export function checkAfter(apps: readonly PlacedApp[], broken: ReadonlySet<string | null>): Complaint[] {
  if (!apps.some(({ app }) => app.after.length > 0)) return [];
  const byName = new Map(apps.map((placed) => [placed.app.name, placed]));
  return [...(broken.has(null) ? [] : checkKnown(apps, byName, broken)), ...checkCycles(byName)];
}

function checkKnown(
  apps: readonly PlacedApp[],
  byName: ReadonlyMap<string, PlacedApp>,
  broken: ReadonlySet<string | null>,
): Complaint[] {
  return apps.flatMap(({ app, file, index }) =>
    app.after.flatMap((name, place) => {
      if (byName.has(name) || broken.has(name)) return [];
      const message = `there is no app ${shown(name)}${didYouMean(name, byName.keys())}`;
      return [{ file, index, path: ['after', place], code: 'unknown-app', message }];
    }),
  );
}

/** Every app that waits for itself is in what remains when those with nothing left to wait for are taken away. */
function checkCycles(byName: ReadonlyMap<string, PlacedApp>): Complaint[] {
  const remaining = withoutFree(byName);
  const walked = new Set<string>();
  const found: Complaint[] = [];
  for (const start of remaining) {
    const trail: string[] = [];
    const places = new Map<string, number>();
    let name: string | undefined = start;
    while (name !== undefined && !walked.has(name)) {
      walked.add(name);
      places.set(name, trail.length);
      trail.push(name);
      name = byName.get(name)?.app.after.find((other) => remaining.has(other));
    }
    const begin = name === undefined ? undefined : places.get(name);
    if (begin !== undefined) found.push(...cycleComplaint(trail.slice(begin), byName));
  }
  return found;
}

function withoutFree(byName: ReadonlyMap<string, PlacedApp>): ReadonlySet<string> {
  const waiting = new Map<string, number>();
  const followers = new Map<string, string[]>();
  for (const [name, { app }] of byName) {
    const known = app.after.filter((other) => byName.has(other));
    waiting.set(name, known.length);
    for (const other of known) {
      const those = followers.get(other);
      if (those === undefined) followers.set(other, [name]);
      else those.push(name);
    }
  }
  const free = [...waiting].flatMap(([name, count]) => (count === 0 ? [name] : []));
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    waiting.delete(name);
    for (const follower of followers.get(name) ?? []) {
      const left = (waiting.get(follower) ?? 0) - 1;
      waiting.set(follower, left);
      if (left === 0) free.push(follower);
    }
  }
  return new Set(waiting.keys());
}

function cycleComplaint(cycle: readonly string[], byName: ReadonlyMap<string, PlacedApp>): Complaint[] {
  const [first = '', second = first] = cycle;
  const placed = byName.get(first);
  if (placed === undefined) return [];
  const names = cycle.length > MAX_PRINTED ? [...cycle.slice(0, MAX_PRINTED), '...'] : cycle;
  const message = `after goes round in a circle: ${printable([...names, first].join(' -> '))}; remove one of these`;
  const { file, index, app } = placed;
  return [{ file, index, path: ['after', app.after.indexOf(second)], code: 'after-cycle', message }];
}
