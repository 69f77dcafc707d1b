/**
 * One pass, in one direction: fetch → load → observe → plan → execute → route → report. It starts from the world every
 * time; nothing that happened between two passes matters but what is there now.
 */
import { messageOf } from '../../base/thrown.ts';
import type { App } from '../../model/intent.ts';
import type { AppNote, PlanCounts } from '../../model/commit-record.ts';
import type { Plan } from '../../model/plan.ts';
import { assess, type Assessment } from '../../plan/assess.ts';
import { makePlan } from '../../plan/plan.ts';
import { publicUrl } from '../../plan/routes.ts';
import { followHead } from './admit.ts';
import { adoptWorld } from './adopt.ts';
import { goBackAfterFailure } from '../calls/change.ts';
import type { Context } from '../context.ts';
import { execute } from './execute.ts';
import type { Loader } from './load.ts';
import { dropStaleHolds, look, observed } from './observe.ts';
import { isTerminal, report } from '../records/record.ts';
import { applyRoutes } from '../actions/router.ts';
import { tidy } from '../actions/retire.ts';
import { healthyOf } from '../state.ts';
import type { Versions } from './versions.ts';

export interface Reconciler {
  /** Resolves with the time of the next pass that the plan asks for, or null. */
  pass(): Promise<number | null>;
}

export interface ReconcileParts {
  readonly loader: Loader;
  readonly versions: Versions;
  /** Told after every pass, for those who wait for something. */
  readonly passed: (plan: Plan) => void;
  /** Notes may be due. */
  readonly noted: () => void;
}

/** A proxy that did not take the table is given it again. */
const PROXY_RETRY_MS = 1000;

export function createReconciler(ctx: Context, parts: ReconcileParts): Reconciler {
  return {
    async pass() {
      if (isEnding(ctx)) return null;
      await followHead(ctx, parts.loader);
      const { intent } = ctx.state;
      await look(ctx);
      if (intent === null || ctx.state.backendFailure !== null) return retryLater(ctx);
      await adoptWorld(ctx);
      ctx.state.desired = parts.versions.desired(intent);
      dropStaleHolds(ctx);
      const routed = await applyRoutes(ctx);
      // Looked at last thing before anything is begun: what a shutdown ends is not to be started again.
      if (isEnding(ctx)) return null;
      const plan = makePlan(ctx.state.desired, observed(ctx), ctx.ports.clock.now());
      ctx.state.plan = plan;
      const whole = isWhole(ctx) ? { ...plan, counts: countsForCommit(ctx, plan) } : null;
      if (whole !== null) announce(ctx, whole);
      execute(ctx, plan);
      if (whole !== null || plan.actions.length > 0 || !hasVerdict(ctx))
        report(ctx, { ...standing(plan, routed), plan: whole, apps: appNotes(ctx) });
      await goBackAfterFailure(ctx);
      tidyUp(ctx);
      parts.noted();
      parts.passed(plan);
      return routed ? plan.next_pass_at : ctx.ports.clock.now() + PROXY_RETRY_MS;
    },
  };
}

/** What runs is being ended, or the daemon is. */
function isEnding(ctx: Context): boolean {
  return ctx.state.mode === 'draining' || ctx.signal.aborted;
}

/** Beside the loop: copying a slot takes its time. */
function tidyUp(ctx: Context): void {
  for (const app of ctx.state.apps.values()) {
    if (!app.untidy) continue;
    tidy(ctx, app).catch((error: unknown) =>
      ctx.ports.log.error('a folder could not be tidied', { app: app.name, error: messageOf(error) }),
    );
  }
}

/** Nothing has converged that the proxy does not serve. */
function standing(plan: Plan, routed: boolean): Assessment {
  const now = assess(plan);
  return now.state === 'converged' && !routed ? { state: 'converging', reason: null } : now;
}

/** Nothing is planned on half a view. */
function retryLater(ctx: Context): number | null {
  return ctx.state.backendFailure === null ? null : ctx.ports.clock.now() + 1000;
}

/** A verdict stands while sources are looked up again, as after a restart: it is not news that nothing has changed. */
function hasVerdict(ctx: Context): boolean {
  return ctx.state.record !== null && isTerminal(ctx.state.record.state);
}

/** The first whole plan for a commit is told to those who follow it. */
function announce(ctx: Context, plan: Plan): void {
  if (ctx.state.record?.plan !== null) return;
  const { start, stop, swap, unchanged } = plan.counts;
  ctx.events.emit({
    type: 'commit-planned',
    commit: plan.commit,
    message: `plan: ${start} to start, ${swap} to swap, ${stop} to stop, ${unchanged} unchanged`,
    data: { plan },
  });
}

/** What began for this commit while other sources were still being looked up counts as planned, not as unchanged. */
function countsForCommit(ctx: Context, plan: Plan): PlanCounts {
  const begun = new Map<string, string>();
  for (const { unit, do: what } of ctx.state.record?.actions ?? []) begun.set(unit, what);
  for (const { name, work } of ctx.state.apps.values())
    if (work?.intent === plan.commit) begun.set(name, work.do);
  for (const { unit } of plan.actions) begun.delete(unit);
  const count = (...kinds: readonly string[]): number =>
    [...begun.values()].filter((what) => kinds.includes(what)).length;
  return {
    start: plan.counts.start + count('start', 'restart'),
    stop: plan.counts.stop + count('stop'),
    swap: plan.counts.swap + count('swap'),
    unchanged: plan.unchanged.filter((unit) => !begun.has(unit)).length,
  };
}

/** Every source has been looked up, with whatever result: only then is a plan a plan of the commit. */
function isWhole(ctx: Context): boolean {
  for (const app of ctx.state.desired?.apps.values() ?? [])
    if (app.version === null && app.failure === null) return false;
  return true;
}

/** A note names every app of a small system, and of a large one those that the commit touched or that are not healthy. */
const NOTED_APPS = 200;

function appNotes(ctx: Context): Readonly<Record<string, AppNote>> {
  const apps = ctx.state.intent?.apps ?? new Map<string, App>();
  const touched = new Set(ctx.state.record?.actions.map((action) => action.unit));
  const notes: Record<string, AppNote> = {};
  for (const app of apps.values()) {
    const state = ctx.state.apps.get(app.name);
    const live = state?.links.live ?? null;
    if (state === undefined || live === null) continue;
    const healthy = healthyOf(state, live.slot).length > 0;
    if (apps.size > NOTED_APPS && healthy && !touched.has(app.name)) continue;
    notes[app.name] = {
      slot: live.slot,
      commit: live.commit,
      previous_commit: state.links.previous?.commit ?? '',
      healthy,
      url: publicUrl(app, ctx.options.publicHost),
    };
  }
  return notes;
}
