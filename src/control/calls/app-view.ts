/** What status and `why` say of an app, from the state alone. */
import type { AppStatus, InstanceStatus, Why } from '../../model/control-plane.ts';
import type { ObservedInstance } from '../../model/instance.ts';
import type { Action, Blocked } from '../../model/plan.ts';
import { publicUrl } from '../../plan/routes.ts';
import type { Context } from '../context.ts';
import { describeAction } from '../describe.ts';
import { timeOrNull } from './plan-view.ts';
import { healthyOf, type AppState } from '../state.ts';

/** Names that status knows: wanted ones, and those that are still on their way out. */
export function knownApps(ctx: Context): readonly string[] {
  const present = [...ctx.state.apps.values()]
    .filter((app) => app.links.live !== null || app.work !== null)
    .map((app) => app.name);
  return [...new Set([...(ctx.state.intent?.apps.keys() ?? []), ...present])].sort();
}

export function appStatus(ctx: Context, name: string): AppStatus | null {
  if (!knownApps(ctx).includes(name)) return null;
  const app = ctx.state.apps.get(name);
  const wanted = ctx.state.intent?.apps.get(name);
  const { state, reason } = standing(ctx, name, app);
  return {
    app: name,
    ...slots(app),
    healthy: app !== undefined && isHealthy(ctx, app),
    staging_dir: ctx.ports.slots.stagingDir(name),
    desired_commit: ctx.state.desired?.apps.get(name)?.version?.commit ?? '',
    state,
    reason,
    url: wanted === undefined ? '' : publicUrl(wanted, ctx.options.publicHost),
    instances: app === undefined ? [] : instances(app),
  };
}

function slots(
  app: AppState | undefined,
): Pick<AppStatus, 'live_slot' | 'live_commit' | 'previous_slot' | 'previous_commit' | 'last_deploy_time'> {
  const { live, previous } = app?.links ?? { live: null, previous: null };
  return {
    live_slot: live?.slot ?? '',
    live_commit: live?.commit ?? '',
    previous_slot: previous?.slot ?? '',
    previous_commit: previous?.commit ?? '',
    last_deploy_time: live === null ? '' : new Date(app?.lastDeployAt ?? live.promotedAt).toISOString(),
  };
}

/** All processes that the live version should have run and have been seen healthy. */
export function isHealthy(ctx: Context, app: AppState): boolean {
  const live = app.links.live;
  if (live === null) return false;
  const up = healthyOf(app, live.slot).length;
  const desired = ctx.state.desired?.apps.get(app.name);
  return up >= (desired !== undefined && desired.digest === live.digest ? desired.app.replicas : 1);
}

function instances(app: AppState): readonly InstanceStatus[] {
  return app.instances.map((instance) => ({
    id: instance.id,
    slot: instance.slot,
    role: roleOf(app, instance),
    state: instance.state,
    healthy: app.healthy.has(instance.id),
    handle: instance.handle,
    port: instance.port,
    started_at: new Date(instance.startedAt).toISOString(),
  }));
}

function roleOf(app: AppState, instance: ObservedInstance): InstanceStatus['role'] {
  if (app.retiring.has(instance.id)) return 'draining';
  if (instance.slot === app.links.live?.slot) return 'live';
  return instance.slot === app.links.previous?.slot ? 'previous' : 'starting';
}

function standing(
  ctx: Context,
  name: string,
  app: AppState | undefined,
): Pick<AppStatus, 'state' | 'reason'> {
  if (app?.work) {
    const words = { start: 'deploying', swap: 'deploying', restart: 'restarting', stop: 'stopping' } as const;
    return { state: words[app.work.do], reason: `${app.work.do} is under way` };
  }
  const block = blockOf(ctx, name);
  if (block !== undefined) {
    const state =
      block.code === 'suspended' ? 'suspended' : block.code === 'backing-off' ? 'restarting' : 'held';
    return { state, reason: block.reason };
  }
  const action = ctx.state.plan?.actions.find((one) => one.unit === name);
  if (action !== undefined) return { state: 'waiting', reason: describeNext(action) };
  if (ctx.state.plan?.unchanged.includes(name) === true) return { state: 'converged', reason: '' };
  return { state: 'waiting', reason: 'its source is being looked up' };
}

function blockOf(ctx: Context, name: string): Blocked | undefined {
  return ctx.state.plan?.blocked.find((block) => block.unit === name);
}

function describeNext(action: Action): string {
  return `${describeAction(action)}${action.after.length === 0 ? '' : `, after ${action.after.join(', ')}`}`;
}

export function why(ctx: Context, unit: string): Why | null {
  const status = appStatus(ctx, unit);
  if (status === null) return null;
  const last = ctx.ports.store.values.get(`last-action:${unit}`);
  const block = blockOf(ctx, unit);
  const desired = ctx.state.desired?.apps.get(unit);
  const action = ctx.state.plan?.actions.find((one) => one.unit === unit);
  return {
    unit,
    wanted:
      desired === undefined
        ? 'nothing: intent does not name it'
        : `${status.desired_commit === '' ? 'a commit that is not known yet' : status.desired_commit} (${ctx.state.record?.commit ?? ''})`,
    is:
      status.live_commit === ''
        ? 'nothing is live'
        : `${status.live_commit} in ${status.live_slot}, ${status.healthy ? 'healthy' : 'not healthy'}`,
    last_action:
      last === null
        ? null
        : withObserved(JSON.parse(last) as Omit<NonNullable<Why['last_action']>, 'observed'>),
    blocked:
      block === undefined
        ? null
        : {
            code: block.code,
            reason: block.reason,
            until: timeOrNull(block.until),
          },
    next:
      status.state === 'converged'
        ? 'nothing: it is as wanted'
        : action === undefined
          ? status.reason
          : describeNext(action),
  };
}

/** The reason of an action is what was observed when it was planned. */
function withObserved(
  action: Omit<NonNullable<Why['last_action']>, 'observed'>,
): NonNullable<Why['last_action']> {
  return { ...action, observed: action.because };
}
