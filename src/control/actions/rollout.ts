/**
 * One version of an app into a slot and in front of the traffic. The steps, in order; everything before `promote` can
 * be given up without a trace, `promote` is the one durable decision, everything after it only tidies:
 *
 *   checkout → setup → boot → health → PROMOTE → route → retire the former version
 */
import { err, failure, ok, type Failure, type Result } from '../../base/result.ts';
import { short } from '../../model/ids.ts';
import { slotName, type HealthReport, type JournalEntry, type SlotRecord } from '../../model/slot.ts';
import type { Context } from '../context.ts';
import { appState, type AppState } from '../state.ts';
import { writeJournal } from './journal.ts';
import { prepare } from './prepare.ts';
import { retire } from './retire.ts';
import { reusesSlot, type RolloutJob } from './rollout-job.ts';
import { ensureRoutes } from './router.ts';
import { say } from './say.ts';

/** Resolves when the version is promoted and its route has been sent, or with why it was given up. */
export async function rollOut(ctx: Context, job: RolloutJob, signal: AbortSignal): Promise<Result<void>> {
  const began = ctx.ports.clock.now();
  const app = appState(ctx.state, job.app.name);
  const former = app.links.live;
  const target = targetSlot(job, app);
  const prepared = await prepare(ctx, job, target, signal);
  if (!prepared.ok || signal.aborted) {
    const error = signal.aborted || prepared.ok ? failure('superseded', 'no longer wanted') : prepared.error;
    await giveUp(ctx, job, target);
    await journal(ctx, job, target, { began, former, failure: error });
    return err(error);
  }
  job.onSettled();
  await promote(ctx, job, app, { slot: target, former });
  await journal(ctx, job, target, { began, former, failure: null, health: prepared.value });
  return ok();
}

/** The kept previous slot, or a new one named by the commit. */
function targetSlot(job: RolloutJob, app: AppState): string {
  const { previous, live } = app.links;
  if (reusesSlot(job) && previous !== null) return previous.slot;
  const inUse = app.instances.map((one) => one.slot);
  const linked = [live, previous].filter((record) => record !== null).map((record) => record.slot);
  return slotName(job.version.commit, [...inUse, ...linked]);
}

async function promote(
  ctx: Context,
  job: RolloutJob,
  app: AppState,
  slots: { readonly slot: string; readonly former: SlotRecord | null },
): Promise<void> {
  const now = ctx.ports.clock.now();
  const { slot, former } = slots;
  const record = { slot, commit: job.version.commit, digest: job.action.digest, promotedAt: now };
  const oldGenerations = app.generations;
  app.links = await ctx.ports.slots.promote(app.name, record);
  app.previousIntact = app.links.previous !== null;
  app.liveIntact = true;
  app.lastDeployAt = now;
  // A replacement of what kept ending is no fresh start: its exits go on counting.
  if (former?.digest !== record.digest) app.crashes = null;
  app.lastFailure = null;
  const routed = await ensureRoutes(ctx);
  if (!routed) return;
  const from = former === null ? '' : ` in place of ${short(former.commit)}`;
  say(ctx, job, 'slot-promoted', `${short(job.version.commit)} is live in ${slot}${from}`);
  const warm = job.app.keep_previous_warm ? former?.slot : undefined;
  const old = app.instances.filter((one) => one.slot !== slot && one.slot !== warm);
  void retire(ctx, {
    app: app.name,
    instances: old,
    generations: oldGenerations,
    limitMs: job.app.drain_timeout_ms,
    intent: job.intent,
  });
}

/** Not promoted: the processes are gone already (see boot); a new slot's folder becomes staging again. */
async function giveUp(ctx: Context, job: RolloutJob, slot: string): Promise<void> {
  if (reusesSlot(job)) return;
  const app = appState(ctx.state, job.app.name);
  const strays = app.instances.filter((one) => one.slot === slot && !app.retiring.has(one.id));
  await Promise.all(strays.map((one) => ctx.ports.backend.remove(one.id, 0)));
  await ctx.ports.slots.abandon(app.name, slot);
  await ctx.ports.environment.forget(app.name, slot);
}

async function journal(
  ctx: Context,
  job: RolloutJob,
  slot: string,
  outcome: {
    readonly began: number;
    readonly former: SlotRecord | null;
    readonly failure: Failure | null;
    readonly health?: HealthReport;
  },
): Promise<void> {
  const reason = outcome.failure;
  const health = outcome.health ?? (reason?.details?.['health'] as HealthReport | undefined);
  await writeJournal(ctx, outcome.began, {
    app: job.app.name,
    do: reusesSlot(job) ? 'rollback' : 'deploy',
    slot,
    commit: job.version.commit,
    previous_commit: outcome.former?.commit ?? null,
    intent: job.intent,
    trigger: job.trigger,
    result: resultOf(ctx, reason),
    reason: reason === null ? null : reason.message,
    ...(health === undefined ? {} : { health }),
  });
}

function resultOf(ctx: Context, reason: Failure | null): JournalEntry['result'] {
  if (reason === null) return 'promoted';
  if (ctx.signal.aborted) return 'interrupted';
  return reason.code === 'superseded' || reason.code === 'aborted' ? 'superseded' : 'failed';
}
