/** The loop's side of the API: each call to the part that answers it. Decides nothing. */
import { err, failure, ok, type Result } from '../../base/result.ts';
import type { ControlPlane, SystemStatus } from '../../model/control-plane.ts';
import type { Plan } from '../../model/plan.ts';
import { clearAlert } from '../alerts.ts';
import { appStatus, knownApps, why } from './app-view.ts';
import { commitSuspend, unknownUnit } from './change.ts';
import { commitStatus, history, waitCommit } from './commit-view.ts';
import type { Context } from '../context.ts';
import { deploy, rollback, rollbackTarget, type DeployParts } from './deploy.ts';
import { collectMetrics } from './metrics.ts';
import { planFor, planOf, shown, type PlanView } from './plan-view.ts';
import { appState } from '../state.ts';

export interface PlaneParts extends PlanView {
  /** Called at the end of every pass. */
  readonly waiters: Set<() => void>;
  /** Events so far, by type. */
  readonly counters: ReadonlyMap<string, number>;
  readonly onShutdown: () => void;
}

export function createPlane(parts: PlaneParts): ControlPlane {
  const { ctx, versions, waiters } = parts;
  const busy = new Set<string>();
  const deployParts: DeployParts = { versions, busy, nextPass: (limitMs) => nextPass(ctx, waiters, limitMs) };
  return {
    events: ctx.events,
    ready: () => ctx.state.ready,
    status: () => Promise.resolve(systemStatus(ctx)),
    apps: () => knownApps(ctx),
    app: async (name) => {
      const status = appStatus(ctx, name);
      return status === null ? err(unknownUnit(name)) : ok(status);
    },
    plan: async (ref, against) => shownIfMade(await planOf(parts, ref, against)),
    commit: (ref) => commitStatus(ctx, ref),
    waitCommit: (ref, options, signal) => waitCommit(ctx, ref, options, signal),
    history: async (query) => history(ctx, query),
    journal: async (app, limit) =>
      knownApps(ctx).includes(app)
        ? ok(await ctx.ports.slots.readJournal(app, limit))
        : err(unknownUnit(app)),
    why: async (unit) => {
      const answer = why(ctx, unit);
      return answer === null ? err(unknownUnit(unit)) : ok(answer);
    },
    deploy: (app, ref, caller) => deploy(ctx, deployParts, { app, ref, caller }),
    rollback: (app, caller) => rollback(ctx, deployParts, { app, caller }),
    planDeploy: async (app, ref) => shownIfMade(await planFor(parts, app, ref)),
    planRollback: async (app) => {
      if (!knownApps(ctx).includes(app)) return err(unknownUnit(app));
      const target = rollbackTarget(appState(ctx.state, app));
      return target.ok ? shownIfMade(await planFor(parts, app, target.value)) : target;
    },
    suspend: (unit, suspended, caller) => commitSuspend(ctx, unit, suspended, caller),
    restart: async (unit) => restart(ctx, unit),
    logs: async (unit, query, signal) => logs(ctx, unit, query, signal),
    metrics: () => collectMetrics(ctx, parts.counters),
    shutdown: async (caller) => {
      ctx.events.emit({
        type: 'shutdown',
        message: `${caller.name} asked for a shutdown: draining all that runs`,
      });
      ctx.state.mode = 'draining';
      parts.onShutdown();
    },
  };
}

function shownIfMade<P extends Plan>(plan: Result<P>): Result<ReturnType<typeof shown<P>>> {
  return plan.ok ? ok(shown(plan.value)) : plan;
}

function nextPass(ctx: Context, waiters: Set<() => void>, limitMs: number): Promise<void> {
  const passed = new AbortController();
  const waiter = (): void => passed.abort();
  waiters.add(waiter);
  return ctx.ports.clock
    .sleep(limitMs, AbortSignal.any([passed.signal, ctx.signal]))
    .then(() => void waiters.delete(waiter));
}

function restart(ctx: Context, unit: string): Result<{ readonly unit: string }> {
  const app = ctx.state.apps.get(unit);
  if (app === undefined || ctx.state.intent?.apps.has(unit) !== true) return err(unknownUnit(unit));
  ctx.ports.store.holds.delete(unit, 'live');
  ctx.ports.store.holds.delete(unit, 'version');
  // It is no longer held: should it come to that again, a person is told again.
  clearAlert(ctx, 'crash-loop', unit);
  clearAlert(ctx, 'unit-held', unit);
  app.crashes = null;
  app.restartAsked = app.links.live !== null;
  ctx.wake();
  return ok({ unit });
}

function logs(
  ctx: Context,
  unit: string,
  query: Parameters<ControlPlane['logs']>[1],
  signal: AbortSignal,
): Awaited<ReturnType<ControlPlane['logs']>> {
  const [name, nth] = unit.split('.');
  const app = ctx.state.apps.get(name ?? '');
  const mine = app?.instances ?? [];
  const live = mine.filter((instance) => instance.slot === app?.links.live?.slot);
  const candidates = live.length > 0 ? live : mine;
  const instance = nth === undefined ? candidates.at(-1) : candidates[Number(nth) - 1];
  if (instance === undefined)
    return err(failure('unknown-unit', `nothing of ${JSON.stringify(unit)} runs here`));
  return ok(ctx.ports.backend.logs(instance.id, query, signal));
}

function systemStatus(ctx: Context): SystemStatus {
  const { state } = ctx;
  const head = state.head ?? '';
  const headRecord = head === '' ? null : ctx.ports.store.commits.get(head);
  const refused = headRecord !== null && head !== state.record?.commit ? headRecord : null;
  return {
    mode: modeOf(ctx),
    commit: state.record?.commit ?? '',
    head,
    state: refused?.state ?? state.record?.state ?? 'empty',
    reason: refused?.reason ?? state.record?.reason ?? trouble(ctx) ?? '',
    branch: ctx.options.branch,
    presence: ctx.options.presence,
    apps: knownApps(ctx)
      .map((name) => appStatus(ctx, name))
      .filter((status) => status !== null),
    drift: state.drift,
    started_at: new Date(state.startedAt).toISOString(),
    version: ctx.options.version,
  };
}

/** Degraded: something that has to be durable cannot be written, the proxy does not follow, or a pass cannot be made. */
function modeOf(ctx: Context): SystemStatus['mode'] {
  if (ctx.state.mode === 'draining') return 'draining';
  return trouble(ctx) === null ? 'normal' : 'degraded';
}

function trouble(ctx: Context): string | null {
  return ctx.state.passFailure ?? ctx.state.proxyFailure ?? ctx.ports.store.failing();
}
