/** Looks at the world: what the backend has, what has ended since, and the whole as the planner wants it. */
import type { Observed, ObservedApp } from '../../plan/observed.ts';
import type { Hold } from '../../model/hold.ts';
import { portsOf, type ObservedInstance } from '../../model/instance.ts';
import type { Context } from '../context.ts';
import { liveEnded } from './crash.ts';
import { forgetFailures } from '../forget-failures.ts';
import { noteDrift } from '../drift.ts';
import { removeRun } from '../actions/remove.ts';
import { tidy } from '../actions/retire.ts';
import { appState, describeExit, dropInstances, setSeen, type AppState } from '../state.ts';

/** Updates the state from the backend; keeps the former view (and says so) when it cannot be observed. */
export async function look(ctx: Context): Promise<void> {
  const before = new Map<AppState, readonly string[]>();
  for (const app of ctx.state.apps.values())
    if (app.started.size > 0) before.set(app, [...app.started.keys()]);
  const seen = await ctx.ports.backend.observe();
  if (!seen.ok) {
    if (ctx.state.backendFailure === null) {
      ctx.ports.log.warn('the backend cannot be observed', { reason: seen.error.message });
    }
    ctx.state.backendFailure = seen.error;
    return;
  }
  ctx.state.backendFailure = null;
  const byApp = Map.groupBy(seen.value, (instance) => instance.app);
  for (const name of byApp.keys()) appState(ctx.state, name);
  for (const app of ctx.state.apps.values()) {
    const mine = byApp.get(app.name) ?? [];
    for (const id of before.get(app) ?? []) if (mine.some((one) => one.id === id)) app.started.delete(id);
    setSeen(app, mine);
    for (const instance of mine) if (instance.state === 'exited') ended(ctx, app, instance);
  }
}

/** An exited run is taken note of once and then forgotten by the backend. Work in hand sees to its own. */
function ended(ctx: Context, app: AppState, instance: ObservedInstance): void {
  if (app.retiring.has(instance.id)) return;
  const inHand = app.work !== null && !app.healthy.has(instance.id);
  if (inHand) return;
  const wasLive = app.links.live?.slot === instance.slot;
  const exit = instance.exit;
  const gone = forget(ctx, app, instance).catch((error: unknown) =>
    ctx.ports.log.error('an ended run was not removed', { instance: instance.id, error: String(error) }),
  );
  app.retiring.set(instance.id, gone);
  app.healthy.delete(instance.id);
  app.internal.delete(instance.id);
  if (!wasLive) return;
  const upMs = (exit?.at ?? ctx.ports.clock.now()) - instance.startedAt;
  const unseen = exit === null || (exit.code === null && exit.signal === null);
  if (unseen && !ctx.state.ready) endedBefore(ctx, app, instance);
  else liveEnded(ctx, app, { what: describeExit(exit), upMs });
}

/** Its record and its ports are given back; a folder that was only kept for it is tidied away. */
async function forget(ctx: Context, app: AppState, instance: ObservedInstance): Promise<void> {
  await removeRun(ctx, instance.id, 0).finally(() => {
    app.retiring.delete(instance.id);
    dropInstances(app, [instance.id]);
    ctx.ports.ports.release(portsOf(instance));
    ctx.wake();
  });
  if (!ctx.signal.aborted) await tidy(ctx, app);
}

/** A reboot, or an end that no daemon saw: nobody can say whose doing it was, so it is started again at once. */
function endedBefore(ctx: Context, app: AppState, { slot }: ObservedInstance): void {
  const found = `${slot} had ended when the daemon came back`;
  noteDrift(ctx, app.name, found);
  ctx.events.emit({ type: 'instance-exited', unit: app.name, message: `${app.name}: ${found}` });
}

const NO_HOLDS: readonly Hold[] = [];
const NO_ONE: ReadonlySet<string> = new Set();

/** The planner's input, from the state alone. */
export function observed(ctx: Context): Observed {
  const holds = holdsByUnit(ctx);
  const apps = new Map<string, ObservedApp>();
  for (const app of ctx.state.apps.values()) {
    const held = holds.get(app.name) ?? NO_HOLDS;
    apps.set(app.name, {
      name: app.name,
      links: app.links,
      previousIntact: app.previousIntact,
      liveIntact: app.liveIntact,
      instances: app.instances.map((instance) => ({ ...instance, healthy: app.healthy.has(instance.id) })),
      retiring: app.retiring.size === 0 ? NO_ONE : new Set(app.retiring.keys()),
      work: app.work,
      crashes: app.crashes,
      hold: held.find((hold) => hold.kind === 'version') ?? null,
      liveHold: held.find((hold) => hold.kind === 'live') ?? null,
      restartAsked: app.restartAsked,
      listenFailure: app.listenFailure,
    });
  }
  return { apps };
}

function holdsByUnit(ctx: Context): ReadonlyMap<string, readonly Hold[]> {
  const byUnit = new Map<string, Hold[]>();
  for (const hold of ctx.ports.store.holds.all())
    byUnit.set(hold.unit, [...(byUnit.get(hold.unit) ?? []), hold]);
  return byUnit;
}

/**
 * A hold is left behind when intent wants something else than what is held, or the held slot is no longer live. Of an app
 * that never was live and that intent no longer names, nothing stays: no stop sees to it.
 */
export function dropStaleHolds(ctx: Context): void {
  for (const hold of ctx.ports.store.holds.all()) {
    const desired = ctx.state.desired?.apps.get(hold.unit);
    if (desired === undefined) {
      const app = ctx.state.apps.get(hold.unit);
      if (app === undefined || (app.links.live === null && app.work === null)) forgetFailures(ctx, hold.unit);
      continue;
    }
    const stale =
      hold.kind === 'version'
        ? desired.digest !== '' && desired.digest !== hold.digest
        : ctx.state.apps.get(hold.unit)?.links.live?.digest !== hold.digest;
    if (stale) ctx.ports.store.holds.delete(hold.unit, hold.kind);
  }
}
