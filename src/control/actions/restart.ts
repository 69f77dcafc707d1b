/** Fresh processes for the live slot: after a crash, after a reboot of the machine, or because an operator asked. */
import { ok, type Result } from '../../base/result.ts';
import type { App } from '../../model/intent.ts';
import { boot, slotEnvironment } from './boot.ts';
import type { Context } from '../context.ts';
import { liveEnded } from '../loop/crash.ts';
import { writeJournal } from './journal.ts';
import { keptSlot } from './kept-slot.ts';
import { ensureRoutes } from './router.ts';
import { retire } from './retire.ts';
import { say } from './say.ts';
import { appState, instancesOf } from '../state.ts';

/**
 * Beside what is healthy and stays; what is not is replaced. Fails with `slot-drifted` when the live slot is not as it was
 * deployed, else with why the new processes are not up.
 */
export async function restartLive(
  ctx: Context,
  job: { readonly app: App; readonly intent: string },
  signal: AbortSignal,
): Promise<Result<void>> {
  const app = appState(ctx.state, job.app.name);
  const live = app.links.live;
  if (live === null) return ok();
  const kept = await keptSlot(ctx, app.name, live.slot);
  app.liveIntact = kept.ok;
  if (!kept.ok) return kept;
  const began = ctx.ports.clock.now();
  const asked = app.restartAsked;
  app.restartAsked = false;
  const present = instancesOf(app, live.slot);
  const keep = asked ? [] : present.filter((instance) => app.healthy.has(instance.id));
  const replaced = present.filter((instance) => !keep.includes(instance));
  const wanted = ctx.state.desired?.apps.get(app.name)?.digest === live.digest ? job.app.replicas : 1;
  const request = {
    app: job.app,
    slot: live.slot,
    digest: live.digest,
    commit: live.commit,
    dir: kept.value,
    count: Math.max(1, wanted - keep.length),
    intent: job.intent,
  };
  const env = await slotEnvironment(ctx, request);
  const booted = env.ok ? await boot(ctx, request, env.value, signal) : env;
  if (!booted.ok) {
    if (booted.error.code !== 'superseded') liveEnded(ctx, app, { what: booted.error.message, upMs: 0 });
    return booted;
  }
  const generations = app.generations;
  for (const instance of replaced) app.healthy.delete(instance.id);
  if (!(await ensureRoutes(ctx))) return ok();
  void retire(ctx, {
    app: app.name,
    instances: replaced,
    generations: replaced.length > 0 ? generations : [],
    limitMs: job.app.drain_timeout_ms,
    intent: job.intent,
  });
  await writeJournal(ctx, began, {
    app: app.name,
    do: 'restart',
    slot: live.slot,
    commit: live.commit,
    previous_commit: live.commit,
    intent: job.intent,
    trigger: asked ? 'api' : app.crashes === null ? 'reconcile' : 'crash',
    result: 'restarted',
    reason: null,
    health: booted.value,
  });
  say(ctx, job, 'unit-restarted', `serves again from ${live.slot}`);
  return ok();
}
