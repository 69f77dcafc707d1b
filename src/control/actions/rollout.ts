/**
 * One version of an app into a slot and in front of the traffic. The steps, in order; everything before `promote` can
 * be given up without a trace, `promote` is the one durable decision, everything after it only tidies:
 *
 *   checkout → setup → boot → health → PROMOTE → route → retire the former version
 */
import { err, failure, ok, type Failure, type Result } from '../../base/result.ts';
import { formatDuration } from '../../base/duration.ts';
import type { App } from '../../model/intent.ts';
import { short } from '../../model/ids.ts';
import type { StartAction, SwapAction } from '../../model/plan.ts';
import { slotName, type JournalEntry, type SlotRecord } from '../../model/slot.ts';
import type { SourceVersion } from '../../model/source.ts';
import { boot, slotEnvironment, type BootRequest } from './boot.ts';
import type { Context } from '../context.ts';
import { waitHealthy } from './health.ts';
import { ensureRoutes } from './router.ts';
import { retire } from './retire.ts';
import { appState, instancesOf, type AppState, type HealthReport } from '../state.ts';

export interface RolloutJob {
  readonly action: StartAction | SwapAction;
  readonly app: App;
  readonly version: SourceVersion;
  /** Intent commit that it is done for. */
  readonly intent: string;
  readonly trigger: JournalEntry['trigger'];
  /** Called once the decision is durable: from now on the work can only be waited for. */
  readonly onSettled: () => void;
}

export interface Promoted {
  readonly slot: string;
  readonly health: HealthReport;
}

interface Prepared {
  readonly slot: string;
  readonly health: HealthReport;
}

export async function rollOut(ctx: Context, job: RolloutJob, signal: AbortSignal): Promise<Result<Promoted>> {
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
  await journal(ctx, job, target, { began, former, failure: null, health: prepared.value.health });
  return ok({ slot: target, health: prepared.value.health });
}

/** The kept previous slot, or a new one named by the commit. */
function targetSlot(job: RolloutJob, app: AppState): string {
  const { previous, live } = app.links;
  if (job.action.do === 'swap' && job.action.via !== 'new' && previous !== null) return previous.slot;
  const inUse = app.instances.map((one) => one.slot);
  const linked = [live, previous].filter((record) => record !== null).map((record) => record.slot);
  return slotName(job.version.commit, [...inUse, ...linked]);
}

function reusesSlot(job: RolloutJob): boolean {
  return job.action.do === 'swap' && job.action.via !== 'new';
}

/** Everything up to the decision: a healthy set of processes in the slot. */
async function prepare(
  ctx: Context,
  job: RolloutJob,
  slot: string,
  signal: AbortSignal,
): Promise<Result<Prepared>> {
  if (job.action.do === 'swap' && job.action.via === 'warm') {
    const warm = await wakeWarm(ctx, job, slot, signal);
    if (warm.ok || signal.aborted) return warm;
  }
  const dir = reusesSlot(job) ? await keptSlot(ctx, job, slot) : await checkOut(ctx, job, slot, signal);
  if (!dir.ok) return dir;
  const request: BootRequest = {
    app: job.app,
    slot,
    digest: job.action.digest,
    commit: job.version.commit,
    dir: dir.value,
    count: job.app.replicas,
    intent: job.intent,
  };
  const env = await slotEnvironment(ctx, request);
  if (!env.ok) return env;
  const set = reusesSlot(job) ? ok() : await setUp(ctx, job, { request, env: env.value }, signal);
  if (!set.ok) return set;
  const booted = await boot(ctx, request, env.value, signal);
  return booted.ok ? ok({ slot, health: booted.value.health }) : booted;
}

/** The kept slot's folder, if it is still what was deployed; otherwise the next plan lays a new one. */
async function keptSlot(ctx: Context, job: RolloutJob, slot: string): Promise<Result<string>> {
  const app = appState(ctx.state, job.app.name);
  app.previousIntact = await ctx.ports.slots.intact(app.name, slot);
  if (app.previousIntact) return ok(ctx.ports.slots.dir(app.name, slot));
  return err(failure('slot-drifted', `${slot} is not as it was deployed: its files were changed or removed`));
}

async function checkOut(
  ctx: Context,
  job: RolloutJob,
  slot: string,
  signal: AbortSignal,
): Promise<Result<string>> {
  const began = ctx.ports.clock.now();
  const { name: app, shared_dirs: sharedDirs } = job.app;
  const dir = await ctx.ports.slots.checkout({ app, version: job.version, slot, sharedDirs }, signal);
  const took = formatDuration(ctx.ports.clock.now() - began);
  if (dir.ok)
    say(ctx, job, 'slot-checked-out', `checked out ${short(job.version.commit)} into ${slot} in ${took}`);
  return dir;
}

async function setUp(
  ctx: Context,
  job: RolloutJob,
  { request, env }: { readonly request: BootRequest; readonly env: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<Result<void>> {
  const command = job.app.setup_command;
  if (command === undefined) return ok();
  const began = ctx.ports.clock.now();
  say(ctx, job, 'setup-started', 'running setup_command');
  const { slot, dir } = request;
  const timeoutMs = ctx.options.setupTimeoutMs;
  const result = await ctx.ports.commands.run(
    { app: job.app.name, slot, dir, command, env, timeoutMs },
    signal,
  );
  if (result.ok)
    say(
      ctx,
      job,
      'setup-finished',
      `setup_command finished in ${formatDuration(ctx.ports.clock.now() - began)}`,
    );
  return result;
}

/** The previous version still runs: one good answer is enough. Otherwise its processes are ended and it is booted. */
async function wakeWarm(
  ctx: Context,
  job: RolloutJob,
  slot: string,
  signal: AbortSignal,
): Promise<Result<Prepared>> {
  const app = appState(ctx.state, job.app.name);
  const instances = instancesOf(app, slot);
  const quick = { ...job.app, health_timeout_ms: Math.min(job.app.health_timeout_ms, 1000) };
  const checks = await Promise.all(
    instances.map((instance) => waitHealthy(ctx, { app: quick, instance, intent: job.intent }, signal)),
  );
  const bad = checks.find((check) => !check.ok);
  const first = checks[0];
  if (bad === undefined && first?.ok === true) {
    instances.forEach((instance, i) => {
      app.healthy.add(instance.id);
      const check = checks[i];
      if (check?.ok === true && check.value.internal) app.internal.add(instance.id);
    });
    say(ctx, job, 'instance-healthy', `${slot} was kept warm and is healthy`);
    return ok({ slot, health: first.value.report });
  }
  void retire(ctx, {
    app: app.name,
    instances,
    generations: [],
    limitMs: job.app.drain_timeout_ms,
    intent: job.intent,
  });
  return bad !== undefined && !bad.ok ? bad : err(failure('exited-early', 'the warm version no longer runs'));
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
  const app = appState(ctx.state, job.app.name);
  const strays = app.instances.filter((one) => one.slot === slot && !app.retiring.has(one.id));
  if (!reusesSlot(job)) {
    await Promise.all(strays.map((one) => ctx.ports.backend.remove(one.id, 0)));
    await ctx.ports.slots.abandon(app.name, slot);
    await ctx.ports.environment.forget(app.name, slot);
  }
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
  const now = ctx.ports.clock.now();
  const reason = outcome.failure;
  const health = outcome.health ?? (reason?.details?.['health'] as HealthReport | undefined);
  await ctx.ports.slots.journal({
    at: new Date(now).toISOString(),
    app: job.app.name,
    do: reusesSlot(job) ? 'rollback' : 'deploy',
    slot,
    commit: job.version.commit,
    previous_commit: outcome.former?.commit ?? null,
    intent: job.intent,
    trigger: job.trigger,
    result: resultOf(ctx, reason),
    reason: reason === null ? null : reason.message,
    took_ms: now - outcome.began,
    ...(health === undefined ? {} : { health }),
  });
}

function resultOf(ctx: Context, reason: Failure | null): JournalEntry['result'] {
  if (reason === null) return 'promoted';
  if (ctx.signal.aborted) return 'interrupted';
  return reason.code === 'superseded' || reason.code === 'aborted' ? 'superseded' : 'failed';
}

function say(ctx: Context, job: RolloutJob, type: string, message: string): void {
  ctx.events.emit({ type, unit: job.app.name, commit: job.intent, message: `${job.app.name}: ${message}` });
}
