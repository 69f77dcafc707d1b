/** Plans on request: of any commit against what is live, or against another commit's intent. Changes nothing. */
import { err, failure, ok, type Result } from '../../base/result.ts';
import { renderLine } from '../../intent/render.ts';
import { instanceId } from '../../model/ids.ts';
import type { Intent } from '../../model/intent.ts';
import type { Plan, ShownPlan } from '../../model/plan.ts';
import { slotName } from '../../model/slot.ts';
import { desiredApp, type Desired, type DesiredApp } from '../../plan/desired.ts';
import { NOTHING, type Observed, type ObservedApp } from '../../plan/observed.ts';
import { makePlan } from '../../plan/plan.ts';
import type { Context } from '../context.ts';
import type { Loader } from '../loop/load.ts';
import { observed } from '../loop/observe.ts';
import { pinned, type Versions } from '../loop/versions.ts';
import { unknownUnit } from './change.ts';

export interface PlanView {
  readonly ctx: Context;
  readonly loader: Loader;
  readonly versions: Versions;
}

export type CheckedPlan = Plan & { readonly diagnostics: readonly string[] };

/** `ref` null: the watched branch; `against` null or `live`: what is there now. */
export async function planOf(
  view: PlanView,
  ref: string | null,
  against: string | null,
): Promise<Result<CheckedPlan>> {
  const { repository, clock } = view.ctx.ports;
  const wanted = await intentAt(view, ref ?? repository.watchedRef);
  if (!wanted.ok) return wanted;
  const { intent, diagnostics } = wanted.value;
  const desired = await resolveAll(view, intent);
  if (against === null || against === 'live') {
    return ok({ ...makePlan(desired, atRest(observed(view.ctx)), clock.now()), diagnostics });
  }
  const base = await intentAt(view, against);
  if (!base.ok) return base;
  const converged = asConverged(await resolveAll(view, base.value.intent), clock.now());
  return ok({ ...makePlan(desired, converged, clock.now()), diagnostics });
}

/** What the loop would do if intent asked for that version. */
export async function planFor({ ctx, versions }: PlanView, app: string, ref: string): Promise<Result<Plan>> {
  const { desired, intent } = ctx.state;
  const document = intent?.apps.get(app);
  if (desired === null || document === undefined) return err(unknownUnit(app));
  const asked = pinned(document, ref);
  const version = await versions.resolve(asked, desired.commit, ctx.signal);
  if (!version.ok) return version;
  const apps = new Map(desired.apps).set(app, desiredApp(asked, version.value, null));
  return ok(makePlan({ ...desired, apps }, observed(ctx), ctx.ports.clock.now()));
}

async function intentAt(
  view: PlanView,
  ref: string,
): Promise<Result<{ readonly intent: Intent; readonly diagnostics: readonly string[] }>> {
  const commit = await view.ctx.ports.repository.resolve(ref);
  if (commit === null) {
    return err(
      failure(
        'unknown-commit',
        `the intent repository has no commit ${JSON.stringify(ref)}; push it first, to any branch`,
      ),
    );
  }
  const loaded = await view.loader.load(commit);
  const diagnostics = loaded.diagnostics.map(renderLine);
  if (loaded.intent !== null) return ok({ intent: loaded.intent, diagnostics });
  return err(failure('intent-invalid', `the intent of ${commit} is not valid`, { details: { diagnostics } }));
}

async function resolveAll(view: PlanView, intent: Intent): Promise<Desired> {
  const resolved = await Promise.all(
    [...intent.apps.values()].map(async (app): Promise<[string, DesiredApp]> => {
      const found = await view.versions.resolve(app, intent.commit, view.ctx.signal);
      return [app.name, found.ok ? desiredApp(app, found.value, null) : desiredApp(app, null, found.error)];
    }),
  );
  return { commit: intent.commit, system: intent.system, apps: new Map(resolved) };
}

/** What is live, as if nothing were under way: a plan says what a commit needs, not what another one is doing. */
function atRest(now: Observed): Observed {
  return { apps: new Map([...now.apps].map(([name, app]) => [name, { ...app, work: null }])) };
}

/** The world as it would be if all of that had converged. */
function asConverged(desired: Desired, now: number): Observed {
  return { apps: new Map([...desired.apps.values()].map((app) => [app.name, convergedApp(app, now)])) };
}

function convergedApp({ name, app, version, digest }: DesiredApp, now: number): ObservedApp {
  if (version === null) return { name, ...NOTHING };
  const slot = slotName(version.commit, []);
  const common = { app: name, slot, digest, commit: version.commit, port: 0, internalPort: null };
  const instances = Array.from({ length: app.replicas }, (_, i) => ({
    ...common,
    id: instanceId(name, slot, i + 1),
    state: 'running' as const,
    startedAt: now,
    handle: '',
    exit: null,
    healthy: true,
  }));
  const live = { slot, commit: version.commit, digest, promotedAt: now };
  return { name, ...NOTHING, links: { live, previous: null }, instances };
}

/** As it goes out: times in words that people and programs read. */
export function shown<P extends Plan>(plan: P): Omit<P, 'blocked' | 'next_pass_at'> & ShownPlan {
  const blocked = plan.blocked.map((block) => ({ ...block, until: timeOrNull(block.until) }));
  return { ...plan, blocked, next_pass_at: timeOrNull(plan.next_pass_at) };
}

export function timeOrNull(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
