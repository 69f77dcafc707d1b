/** What the world is like when everything that a plan begins has gone well. */
import type { Action, Plan } from '../../src/model/plan.ts';
import type { Desired } from '../../src/plan/desired.ts';
import { NOTHING, type Observed, type ObservedApp, type SeenInstance } from '../../src/plan/observed.ts';

export function after(plan: Plan, desired: Desired, observed: Observed): Observed {
  const apps = new Map([...observed.apps].map(([name, app]) => [name, atRest(app, desired)]));
  for (const action of plan.actions) {
    if (action.after.length > 0) continue;
    const before = apps.get(action.unit) ?? { name: action.unit, ...NOTHING };
    apps.set(action.unit, done(action, desired, before));
  }
  return { apps };
}

/** Work in hand ends well, and what is on its way out is gone. */
function atRest(app: ObservedApp, desired: Desired): ObservedApp {
  const kept = app.instances.filter((one) => !app.retiring.has(one.id) && one.state === 'running');
  const rest = { ...app, instances: kept, retiring: new Set<string>(), work: null };
  if (app.work === null) return rest;
  if (app.work.do === 'stop') return { name: app.name, ...NOTHING };
  const wanted = desired.apps.get(app.name);
  return wanted === undefined || wanted.version === null || wanted.digest !== app.work.digest
    ? rest
    : live(rest, desired, wanted.version.commit, wanted.digest);
}

function done(action: Action, desired: Desired, app: ObservedApp): ObservedApp {
  switch (action.do) {
    case 'cancel':
      return { ...app, work: null };
    case 'prune':
      return { ...app, instances: app.instances.filter((one) => !action.instances.includes(one.id)) };
    case 'stop':
      return { name: app.name, ...NOTHING };
    case 'restart':
      return { ...up(app, desired, action.slot, action.digest), restartAsked: false, crashes: null };
    case 'start':
    case 'swap':
      return live(app, desired, action.to, action.digest);
  }
}

function live(app: ObservedApp, desired: Desired, commit: string, digest: string): ObservedApp {
  const slot = app.links.live?.slot === 'slot-1' ? 'slot-2' : 'slot-1';
  const links = { live: { slot, commit, digest, promotedAt: 2 }, previous: app.links.live };
  const clean = { ...app, links, hold: null, liveHold: null, crashes: null, liveIntact: true, instances: [] };
  return up(clean, desired, slot, digest);
}

function up(app: ObservedApp, desired: Desired, slot: string, digest: string): ObservedApp {
  const others = app.instances.filter((one) => one.slot !== slot);
  const replicas = desired.apps.get(app.name)?.app.replicas ?? 1;
  const fresh = Array.from({ length: replicas }, (_, i): SeenInstance => ({
    id: `${app.name}@${slot}.${i + 1}`,
    app: app.name,
    slot,
    digest,
    commit: 'any',
    port: 20_000 + i,
    internalPort: null,
    state: 'running',
    startedAt: 2,
    handle: 'h',
    exit: null,
    healthy: true,
  }));
  return { ...app, instances: [...others, ...fresh], liveIntact: true };
}
