/**
 * Everything of a rollout up to its decision: the slot's folder (laid anew, or kept from before), its setup, and a
 * healthy set of processes in it. Can be given up at every step.
 */
import { err, failure, ok, type Result } from '../../base/result.ts';
import { formatDuration } from '../../base/duration.ts';
import { short } from '../../model/ids.ts';
import type { HealthReport } from '../../model/slot.ts';
import type { Context } from '../context.ts';
import { appState, instancesOf, markHealthy } from '../state.ts';
import { boot, slotEnvironment, type BootRequest } from './boot.ts';
import { waitHealthy } from './health.ts';
import { keptSlot } from './kept-slot.ts';
import { retire } from './retire.ts';
import { reusesSlot, type RolloutJob } from './rollout-job.ts';
import { say } from './say.ts';

/** Resolves with what the first process's checks came to. On failure nothing of it runs; its folder is the caller's. */
export async function prepare(
  ctx: Context,
  job: RolloutJob,
  slot: string,
  signal: AbortSignal,
): Promise<Result<HealthReport>> {
  if (job.action.do === 'swap' && job.action.via === 'warm') {
    const warm = await wakeWarm(ctx, job, slot, signal);
    if (warm.ok || signal.aborted) return warm;
  }
  const kept = reusesSlot(job);
  const dir = kept ? await keptSlot(ctx, job.app.name, slot) : await checkOut(ctx, job, slot, signal);
  if (kept) appState(ctx.state, job.app.name).previousIntact = dir.ok;
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
  const set = kept ? ok() : await setUp(ctx, job, { request, env: env.value }, signal);
  if (!set.ok) return set;
  return boot(ctx, request, env.value, signal);
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
): Promise<Result<HealthReport>> {
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
      const check = checks[i];
      markHealthy(app, instance.id, check?.ok === true && check.value.internal);
    });
    say(ctx, job, 'instance-healthy', `${slot} was kept warm and is healthy`);
    return ok(first.value.report);
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
