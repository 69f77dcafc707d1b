/** An app that intent no longer names: its route goes first, then its processes, then its folders. */
import { ok, type Result } from '../../base/result.ts';
import type { Context } from '../context.ts';
import { forgetFailures } from '../forget-failures.ts';
import { endPendingDeploy } from '../calls/pending-deploy.ts';
import { writeJournal } from './journal.ts';
import { ensureRoutes } from './router.ts';
import { retire } from './retire.ts';
import type { AppState } from '../state.ts';

const STOP_LIMIT_MS = 5000;

export async function stopApp(ctx: Context, app: AppState, intent: string): Promise<Result<void>> {
  const began = ctx.ports.clock.now();
  const { live } = app.links;
  const generations = app.generations;
  if (!(await ensureRoutes(ctx))) return ok();
  // Wanted again while the proxy was waited for: it is routed to again, and nothing of it has been ended yet.
  if (ctx.state.intent?.apps.has(app.name) === true) return ok();
  const instances = app.instances;
  await retire(ctx, { app: app.name, instances, generations, limitMs: STOP_LIMIT_MS, intent });
  await Promise.all(app.retiring.values());
  await writeJournal(ctx, began, {
    app: app.name,
    do: 'stop',
    slot: live?.slot ?? '',
    commit: live?.commit ?? '',
    previous_commit: live?.commit ?? null,
    intent,
    trigger: 'push',
    result: 'stopped',
    reason: 'removed from intent',
  });
  await ctx.ports.slots.remove(app.name);
  forgetFailures(ctx, app.name);
  endPendingDeploy(ctx, app.name);
  app.links = { live: null, previous: null };
  app.previousIntact = false;
  app.crashes = null;
  ctx.events.emit({
    type: 'unit-stopped',
    unit: app.name,
    commit: intent,
    message: `${app.name}: stopped and removed`,
  });
  return ok();
}
