/**
 * At start: finishes what a crash left half done, takes the slots' records and the running processes over as they are,
 * and asks each live process for its health once, so that nothing that serves is restarted.
 */
import type { App } from '../../model/intent.ts';
import type { ObservedInstance } from '../../model/instance.ts';
import { leadsTo } from '../../plan/routes.ts';
import type { Context } from '../context.ts';
import { waitHealthy } from '../actions/health.ts';
import { appState, dropInstances, instancesOf, type AppState } from '../state.ts';

/** A process that ran when the daemon came back gets this long to answer before it counts as not healthy. */
const ADOPT_LIMIT_MS = 2000;
const STRAY_GRACE_MS = 500;

/** What the records say. Changes nothing. */
export async function readSlots(ctx: Context): Promise<void> {
  for (const name of await ctx.ports.slots.apps()) {
    const app = appState(ctx.state, name);
    app.links = await ctx.ports.slots.links(name);
    app.lastDeployAt = app.links.live?.promotedAt ?? null;
  }
}

/**
 * Once in a daemon's life, after the first complete look at the world and with the intent at hand (for the health
 * endpoints): until then nothing is planned, because what serves is not yet known to.
 */
export async function adoptWorld(ctx: Context): Promise<void> {
  if (ctx.state.adopted || ctx.state.intent === null || ctx.state.backendFailure !== null) return;
  const stats = await ctx.ports.proxy.stats();
  const routed = stats.ok ? Object.keys(stats.value.generations) : [];
  for (const app of ctx.state.apps.values()) await adoptSlotsOf(ctx, app, routed);
  await adoptInstances(ctx);
  ctx.state.adopted = true;
}

/** What ran in a slot that was never promoted ends before that slot's folder becomes staging again. */
async function adoptSlotsOf(ctx: Context, app: AppState, routed: readonly string[]): Promise<void> {
  const { live, previous } = app.links;
  const strays = app.instances.filter((one) => one.slot !== live?.slot && one.slot !== previous?.slot);
  const idle = strays.filter((one) => !routed.some((generation) => leadsTo(generation, one)));
  const removed = await Promise.all(idle.map((one) => ctx.ports.backend.remove(one.id, STRAY_GRACE_MS)));
  const gone = idle.filter((_, i) => removed[i]?.ok === true);
  dropInstances(
    app,
    gone.map((one) => one.id),
  );
  // What could not be ended, or still has requests of ours, is pruned by the loop; its folder stays until then.
  if (gone.length === strays.length) await ctx.ports.slots.recover(app.name);
  app.previousIntact = previous !== null && (await ctx.ports.slots.intact(app.name, previous.slot));
  app.liveIntact = live === null || (await ctx.ports.slots.intact(app.name, live.slot));
}

async function adoptInstances(ctx: Context): Promise<void> {
  const jobs = [...ctx.state.apps.values()].flatMap((app) => {
    const document = ctx.state.intent?.apps.get(app.name);
    if (document === undefined) return [];
    const slots = [app.links.live?.slot, app.links.previous?.slot].filter((slot) => slot !== undefined);
    return slots
      .flatMap((slot) => instancesOf(app, slot))
      .map((instance) => adopt(ctx, app, document, instance));
  });
  await Promise.all(jobs);
}

async function adopt(ctx: Context, app: AppState, document: App, instance: ObservedInstance): Promise<void> {
  const limited = { ...document, health_timeout_ms: ADOPT_LIMIT_MS };
  const check = await waitHealthy(ctx, { app: limited, instance, intent: undefined }, ctx.signal);
  if (!check.ok) return;
  app.healthy.add(instance.id);
  if (check.value.internal) app.internal.add(instance.id);
  ctx.events.emit({
    type: 'instance-adopted',
    unit: app.name,
    message: `${app.name}: found running in ${instance.slot} (${instance.handle})`,
  });
}
