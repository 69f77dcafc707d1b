/** Drains and ends everything that runs. Intent stays as it is: the next start brings it all back. */
import type { Context } from '../context.ts';
import { applyRoutes } from './router.ts';
import { retire } from './retire.ts';

const DEFAULT_DRAIN_MS = 5000;
const PROXY_GRACE_MS = 2000;

/** Resolves when nothing of ours runs any more but the daemon. */
export async function drainAll(ctx: Context): Promise<void> {
  for (const app of ctx.state.apps.values()) if (app.work?.settled === false) app.work.abort.abort();
  const before = new Map([...ctx.state.apps.values()].map((app) => [app.name, app.generations]));
  await applyRoutes(ctx);
  await Promise.all(
    [...ctx.state.apps.values()].map(async (app) => {
      const limitMs = ctx.state.intent?.apps.get(app.name)?.drain_timeout_ms ?? DEFAULT_DRAIN_MS;
      await retire(ctx, {
        app: app.name,
        instances: app.instances,
        generations: before.get(app.name) ?? [],
        limitMs,
      });
      await Promise.all(app.retiring.values());
    }),
  );
  await ctx.ports.proxy.stop(PROXY_GRACE_MS);
}
