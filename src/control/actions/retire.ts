/**
 * Takes processes out of service: requests in flight finish (or reach the limit), their connections are closed, then
 * SIGTERM, then SIGKILL. Runs beside the loop; what is on its way out is no longer counted as running.
 */
import { formatDuration } from '../../base/duration.ts';
import { portsOf, type ObservedInstance } from '../../model/instance.ts';
import { leadsTo } from '../../plan/routes.ts';
import type { Context } from '../context.ts';
import { removeRun } from './remove.ts';
import { ensureRoutes } from './router.ts';
import { appState, dropInstances, healthyOf, type AppState } from '../state.ts';

export interface RetireRequest {
  readonly app: string;
  readonly instances: readonly ObservedInstance[];
  /** Proxy generations to drain, beside those that the proxy says have led to them. */
  readonly generations: readonly string[];
  /** The whole time they have, from now: requests first, then the process. */
  readonly limitMs: number;
  readonly intent?: string;
}

/** A process that only got its SIGTERM at the limit still gets this long to end by itself. */
const LAST_GRACE_MS = 100;

/** Resolves when all of them are gone. Never rejects. */
export function retire(ctx: Context, request: RetireRequest): Promise<void> {
  const app = appState(ctx.state, request.app);
  const fresh = request.instances.filter((instance) => !app.retiring.has(instance.id));
  const failed = (error: unknown): void =>
    ctx.ports.log.error('retiring failed', { app: request.app, error: String(error) });
  const gone = drainAndStop(ctx, request, fresh)
    .catch(failed)
    .then(() => finish(ctx, app, fresh))
    .catch(failed);
  for (const instance of fresh) app.retiring.set(instance.id, gone);
  return gone;
}

async function drainAndStop(
  ctx: Context,
  request: RetireRequest,
  instances: readonly ObservedInstance[],
): Promise<void> {
  const { clock, proxy } = ctx.ports;
  const deadline = clock.now() + request.limitMs;
  const began = clock.now();
  // They count as leaving from the call on, so this table leads to none of them. A shutdown ends the proxy as well.
  if (ctx.state.mode === 'normal' && !(await ensureRoutes(ctx)) && ctx.signal.aborted) return;
  const generations = await generationsOf(ctx, request, instances);
  const drained = await Promise.all(generations.map((id) => proxy.drain(id, request.limitMs, ctx.signal)));
  // The daemon is ending: requests are still in flight, and the next daemon takes this up again.
  if (ctx.signal.aborted) return;
  const cut = drained.reduce((sum, result) => sum + (result.ok ? result.value : 0), 0);
  // No more than the whole, also when the clock was set back meanwhile.
  const graceMs = Math.max(LAST_GRACE_MS, Math.min(request.limitMs, deadline - clock.now()));
  const gone = await Promise.all(instances.map((instance) => removeRun(ctx, instance.id, graceMs)));
  if (instances.length === 0 || gone.includes(false)) return;
  const how = cut === 0 ? 'every request finished' : `${cut} request${cut === 1 ? '' : 's'} cut at the limit`;
  ctx.events.emit({
    type: 'instance-retired',
    unit: request.app,
    ...(request.intent === undefined ? {} : { commit: request.intent }),
    message: `${request.app}: ${instances[0]?.slot} ended in ${formatDuration(clock.now() - began)}, ${how}`,
  });
}

/** Also those that left the table before: by another pass, or under a daemon that died. */
async function generationsOf(
  ctx: Context,
  request: RetireRequest,
  instances: readonly ObservedInstance[],
): Promise<readonly string[]> {
  const stats = await ctx.ports.proxy.stats();
  const served = appState(ctx.state, request.app).generations;
  const known = stats.ok ? Object.keys(stats.value.generations) : [];
  const former = known.filter((id) => !served.includes(id) && instances.some((one) => leadsTo(id, one)));
  return [...new Set([...request.generations, ...former])];
}

/** Their ports and secrets are given back; the folders of slots that nobody uses any more are tidied away. */
async function finish(ctx: Context, app: AppState, instances: readonly ObservedInstance[]): Promise<void> {
  dropInstances(
    app,
    instances.map((instance) => instance.id),
  );
  for (const instance of instances) {
    app.retiring.delete(instance.id);
    app.healthy.delete(instance.id);
    app.internal.delete(instance.id);
    ctx.ports.ports.release(portsOf(instance));
  }
  ctx.wake();
  if (ctx.signal.aborted) return;
  const slots = new Set(instances.map((instance) => instance.slot));
  for (const slot of slots) {
    const used = slot === app.links.live?.slot || healthyOf(app, slot).length > 0;
    if (!used) await ctx.ports.environment.forget(app.name, slot);
  }
  await tidy(ctx, app);
}

/**
 * Only while nothing of the app is being deployed or drained, or runs in a slot that is not in use: then every other
 * folder is a leftover. What cannot be tidied yet is asked for again by the next passes.
 */
export async function tidy(ctx: Context, app: AppState): Promise<void> {
  app.untidy = !isAtRest(app);
  if (!app.untidy && app.links.live !== null) await ctx.ports.slots.tidy(app.name);
}

function isAtRest(app: AppState): boolean {
  const { live, previous } = app.links;
  if (app.work !== null || app.retiring.size > 0) return false;
  return app.instances.every(({ slot }) => slot === live?.slot || slot === previous?.slot);
}
