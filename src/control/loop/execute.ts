/**
 * Performs a plan: begins each action that waits for nothing, bounded, and says what came of it. Work runs beside the
 * loop; its end asks for the next pass, which looks at the world again.
 */
import { assertNever, err, type Failure, type Result } from '../../base/result.ts';
import { traceOf } from '../../base/thrown.ts';
import type { Action, Plan, RestartAction, StartAction, SwapAction } from '../../model/plan.ts';
import type { Work } from '../../plan/observed.ts';
import type { Context } from '../context.ts';
import { describeAction } from '../describe.ts';
import { failedRollout, noteAction, promoted } from './outcome.ts';
import { restartLive } from '../actions/restart.ts';
import { retire, tidy } from '../actions/retire.ts';
import { rollOut } from '../actions/rollout.ts';
import { appState, type AppState } from '../state.ts';
import { stopApp } from '../actions/stop.ts';
import { triggerOf } from '../actions/trigger.ts';

/** Deploys and restarts under way at once. */
const LIMIT = 32;
const PAUSE_MS = 15_000;

export function execute(ctx: Context, plan: Plan): void {
  let running = [...ctx.state.apps.values()].filter((app) => app.work !== null).length;
  for (const action of plan.actions) {
    if (action.after.length > 0) continue;
    if (action.do !== 'cancel' && action.do !== 'prune' && running++ >= LIMIT) continue;
    begin(ctx, action, plan.commit);
  }
}

function begin(ctx: Context, action: Action, intent: string): void {
  const app = appState(ctx.state, action.unit);
  switch (action.do) {
    case 'cancel':
      ctx.events.emit({
        type: 'action-cancelled',
        unit: action.unit,
        commit: app.work?.intent ?? intent,
        message: `${action.unit}: given up: ${action.because}`,
      });
      app.work?.abort.abort();
      return;
    case 'prune':
      prune(ctx, app, action.instances);
      return;
    case 'stop':
      work(ctx, app, {
        what: { do: 'stop', digest: '', intent, settled: true },
        action,
        run: () => stopApp(ctx, app, intent),
      });
      return;
    case 'restart':
      beginRestart(ctx, app, action, intent);
      return;
    case 'start':
    case 'swap':
      beginRollout(ctx, app, action, intent);
      return;
    default:
      assertNever(action);
  }
}

function prune(ctx: Context, app: AppState, ids: readonly string[]): void {
  const instances = app.instances.filter((instance) => ids.includes(instance.id));
  const limitMs = ctx.state.desired?.apps.get(app.name)?.app.drain_timeout_ms ?? 5000;
  void retire(ctx, { app: app.name, instances, generations: [], limitMs });
}

function beginRestart(ctx: Context, app: AppState, action: RestartAction, intent: string): void {
  const desired = ctx.state.desired?.apps.get(app.name);
  if (desired === undefined) return;
  work(ctx, app, {
    what: { do: 'restart', digest: action.digest, intent, settled: false },
    action,
    run: (signal) => restartLive(ctx, { app: desired.app, intent }, signal),
  });
}

function beginRollout(ctx: Context, app: AppState, action: StartAction | SwapAction, intent: string): void {
  const desired = ctx.state.desired?.apps.get(app.name);
  if (desired === undefined || desired.version === null) return;
  const { version } = desired;
  const trigger = triggerOf(ctx, app.name);
  const onSettled = (): void => {
    if (app.work !== null) app.work = { ...app.work, settled: true };
  };
  const job = { action, app: desired.app, version, intent, trigger, onSettled };
  const run = async (signal: AbortSignal): Promise<Result<unknown>> => {
    const result = await rollOut(ctx, job, signal).catch((error: unknown) =>
      err(unexpected(ctx, app, error)),
    );
    if (result.ok) promoted(ctx, app, action);
    else failedRollout(ctx, app, { desired, intent, failure: result.error });
    return result;
  };
  work(ctx, app, { what: { do: action.do, digest: action.digest, intent, settled: false }, action, run });
}

interface Order {
  readonly what: Work;
  readonly action: Action;
  readonly run: (signal: AbortSignal) => Promise<Result<unknown>>;
}

/** Registers the work before its first step, and takes it off when it has ended, whatever came of it. */
function work(ctx: Context, app: AppState, { what, action, run }: Order): void {
  const abort = new AbortController();
  const began = ctx.ports.clock.now();
  const ended = Promise.withResolvers<void>();
  app.work = { ...what, abort, done: ended.promise };
  const message = `${action.unit}: ${describeAction(action)}`;
  ctx.events.emit({ type: 'action-started', unit: action.unit, commit: what.intent, message });
  const signal = AbortSignal.any([abort.signal, ctx.signal]);
  void run(signal)
    .then(
      (result) => (result.ok ? null : result.error),
      async (error: unknown): Promise<Failure> => {
        const problem = unexpected(ctx, app, error);
        await pause(ctx, app, what, signal);
        return problem;
      },
    )
    .then((problem) => {
      app.work = null;
      ctx.wake();
      if (ctx.signal.aborted) return;
      noteAction(ctx, { action, intent: what.intent, problem, tookMs: ctx.ports.clock.now() - began });
      return tidy(ctx, app);
    })
    .catch((error: unknown) => void unexpected(ctx, app, error))
    .finally(() => ended.resolve());
}

/**
 * What failed unexpectedly (a full disk) is not tried again at once. A version is held; a restart or a stop, which no hold
 * keeps back, stays in hand for as long.
 */
async function pause(ctx: Context, app: AppState, work: Work, signal: AbortSignal): Promise<void> {
  if (ctx.signal.aborted) return;
  if (work.do === 'restart' || work.do === 'stop') {
    await ctx.ports.clock.sleep(PAUSE_MS, signal);
    return;
  }
  const { digest, intent } = work;
  const at = ctx.ports.clock.now();
  const reason = 'failed unexpectedly; it is tried again soon, and the log says more';
  ctx.ports.store.holds.put({
    unit: app.name,
    kind: 'version',
    digest,
    intent,
    code: 'internal',
    reason,
    at,
    retryAt: at + PAUSE_MS,
    failures: 1,
  });
}

function unexpected(ctx: Context, app: AppState, error: unknown): Failure {
  const text = traceOf(error);
  if (!ctx.signal.aborted)
    ctx.ports.log.error('an action failed unexpectedly', { app: app.name, error: text });
  return { code: 'internal', message: 'failed unexpectedly; the log says more', retry: { kind: 'backoff' } };
}
