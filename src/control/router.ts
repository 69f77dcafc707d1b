/** Keeps the proxy's table equal to what is live. One table at a time; an equal table is not sent again. */
import type { App } from '../model/intent.ts';
import type { ProxyListener } from '../model/routes.ts';
import { makeListeners, type RoutedApp } from '../plan/routes.ts';
import type { Context } from './context.ts';
import { appState, healthyOf, type AppState } from './state.ts';

/** A port that could not be listened on is tried again by sending the table again, at most this often. */
const RELISTEN_MS = 5000;

/** What the last table said, app by app, so that an unchanged world costs a comparison and no table. */
interface Sent {
  readonly said: readonly Said[];
  readonly at: number;
  /** Every port could be listened on. */
  readonly complete: boolean;
}

interface Said {
  readonly app: App;
  readonly live: string;
}

const sentBy = new WeakMap<Context, { last: Sent | null; queue: Promise<void>; version: number }>();

/** Resolves when the proxy serves a table at least as new as the state was at the call. */
export function applyRoutes(ctx: Context): Promise<void> {
  const slot = sentBy.get(ctx) ?? { last: null, queue: Promise.resolve(), version: ctx.ports.clock.now() };
  sentBy.set(ctx, slot);
  slot.queue = slot.queue.then(async () => {
    const apps = routedApps(ctx);
    const said = apps.map(sayOf);
    const now = ctx.ports.clock.now();
    if (
      slot.last !== null &&
      isSame(slot.last.said, said) &&
      (slot.last.complete || now - slot.last.at < RELISTEN_MS)
    )
      return;
    slot.version = Math.max(slot.version + 1, now);
    const listeners = makeListeners(apps, ctx.options.publicHost);
    const result = await ctx.ports.proxy.apply({ version: slot.version, listeners });
    if (!result.ok) {
      ctx.ports.log.warn('the proxy did not take the table', {
        code: result.error.code,
        reason: result.error.message,
      });
      slot.last = null;
      return;
    }
    slot.last = { said, at: now, complete: result.value.length === 0 };
    remember(ctx, listeners, new Map(result.value.map((one) => [`${one.host}:${one.port}`, one.message])));
  });
  return slot.queue;
}

function sayOf({ app, live, internal }: RoutedApp): Said {
  return {
    app,
    live: live.map((one) => `${one.id} ${one.startedAt} ${one.port} ${internal.has(one.id)}`).join(),
  };
}

function isSame(a: readonly Said[], b: readonly Said[]): boolean {
  return a.length === b.length && a.every((said, i) => said.app === b[i]?.app && said.live === b[i]?.live);
}

/** Every app that intent names, with what of it can take traffic. */
function routedApps(ctx: Context): readonly RoutedApp[] {
  const apps: readonly App[] =
    ctx.state.mode === 'draining' || ctx.state.intent === null ? [] : [...ctx.state.intent.apps.values()];
  return apps.map((app) => {
    const state = appState(ctx.state, app.name);
    const live = state.links.live === null ? [] : healthyOf(state, state.links.live.slot);
    return {
      app,
      live: live.map((instance) => ({ ...instance, healthy: true })),
      internal: state.internal,
    };
  });
}

function remember(
  ctx: Context,
  listeners: readonly ProxyListener[],
  failures: ReadonlyMap<string, string>,
): void {
  const generations = new Map<string, string[]>();
  const failed = new Map<string, string>();
  for (const listener of listeners) {
    const problem = failures.get(`${listener.host}:${listener.port}`);
    for (const route of listener.routes) {
      if (problem !== undefined) failed.set(route.app, problem);
      if (route.generation === null) continue;
      generations.set(route.app, [...(generations.get(route.app) ?? []), route.generation.id]);
    }
  }
  for (const app of ctx.state.apps.values())
    settle(ctx, app, generations.get(app.name) ?? [], failed.get(app.name) ?? null);
}

function settle(
  ctx: Context,
  app: AppState,
  generations: readonly string[],
  listenFailure: string | null,
): void {
  if (listenFailure !== null && app.listenFailure !== listenFailure) {
    ctx.events.emit({ type: 'port-unavailable', unit: app.name, message: `${app.name}: ${listenFailure}` });
  }
  app.generations = generations;
  app.listenFailure = listenFailure;
}
