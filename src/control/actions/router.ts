/** Keeps the proxy's table equal to what is live. One table at a time; an equal table is not sent again. */
import type { App } from '../../model/intent.ts';
import type { ObservedInstance } from '../../model/instance.ts';
import type { ProxyListener } from '../../model/routes.ts';
import { makeListeners, type RoutedApp } from '../../plan/routes.ts';
import type { Context } from '../context.ts';
import { appState, healthyOf, type AppState } from '../state.ts';

/** A port that could not be listened on is tried again by sending the table again, at most this often. */
const RELISTEN_MS = 5000;
/** Between two attempts to reach a proxy that is being started again. */
const REAPPLY_MS = 200;

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

const NOTHING: readonly ObservedInstance[] = [];

const sentBy = new WeakMap<Context, { last: Sent | null; queue: Promise<boolean>; version: number }>();

/** Resolves when the proxy serves a table at least as new as the state was at the call; false when it did not take it. */
export function applyRoutes(ctx: Context): Promise<boolean> {
  const slot = sentBy.get(ctx) ?? {
    last: null,
    queue: Promise.resolve(true),
    version: ctx.ports.clock.now(),
  };
  sentBy.set(ctx, slot);
  slot.queue = slot.queue.then(async () => {
    const apps = appsWithLive(ctx);
    const said = apps.map(sayOf);
    const now = ctx.ports.clock.now();
    const fresh = slot.last?.complete === true || now - (slot.last?.at ?? -Infinity) < RELISTEN_MS;
    if (slot.last !== null && fresh && isSame(slot.last.said, said)) return true;
    slot.version = Math.max(slot.version + 1, now);
    const listeners = makeListeners(apps.map(routed), ctx.options.publicHost);
    const result = await ctx.ports.proxy.apply({ version: slot.version, listeners });
    if (!result.ok) {
      const { code, message } = result.error;
      ctx.ports.log.warn('the proxy did not take the table', { code, reason: message });
      slot.last = null;
      ctx.state.proxyFailure = message;
      return false;
    }
    ctx.state.proxyFailure = null;
    slot.last = { said, at: now, complete: result.value.length === 0 };
    remember(ctx, listeners, new Map(result.value.map((one) => [`${one.host}:${one.port}`, one.message])));
    return true;
  });
  return slot.queue;
}

/**
 * The same, again and again until the proxy has taken it: nothing is ended that it may still send requests to. False
 * when the daemon ends first, or when all that runs is being ended, which does not wait for a proxy that is ended, too.
 */
export async function ensureRoutes(ctx: Context): Promise<boolean> {
  while (!ctx.signal.aborted) {
    if (await applyRoutes(ctx)) return true;
    if (ctx.state.mode === 'draining') return false;
    await ctx.ports.clock.sleep(REAPPLY_MS, ctx.signal);
  }
  return false;
}

interface AppWithLive {
  readonly app: App;
  readonly live: readonly ObservedInstance[];
  readonly internal: ReadonlySet<string>;
}

function sayOf({ app, live, internal }: AppWithLive): Said {
  let said = '';
  for (const one of live) said += `${one.id} ${one.startedAt} ${one.port} ${internal.has(one.id)},`;
  return { app, live: said };
}

function isSame(a: readonly Said[], b: readonly Said[]): boolean {
  return a.length === b.length && a.every((said, i) => said.app === b[i]?.app && said.live === b[i]?.live);
}

/** Every app that intent names, with what of it can take traffic. */
function appsWithLive(ctx: Context): readonly AppWithLive[] {
  const apps: readonly App[] =
    ctx.state.mode === 'draining' || ctx.state.intent === null ? [] : [...ctx.state.intent.apps.values()];
  return apps.map((app) => {
    const state = appState(ctx.state, app.name);
    const live = state.links.live === null ? NOTHING : healthyOf(state, state.links.live.slot);
    return { app, live, internal: state.internal };
  });
}

function routed({ app, live, internal }: AppWithLive): RoutedApp {
  return { app, live: live.map((instance) => ({ ...instance, healthy: true })), internal };
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
