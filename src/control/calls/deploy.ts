/** The seed's two calls: a commit that asks for a version, and the wait until that version is promoted or refused. */
import { err, failure, ok, type Failure, type Result } from '../../base/result.ts';
import type { Caller, DeployAnswer } from '../../model/control-plane.ts';
import type { App } from '../../model/intent.ts';
import type { Hold } from '../../model/hold.ts';
import { short } from '../../model/ids.ts';
import { authorOf, commitRef, expectOutcome, overtaken, refusedHead, unknownUnit } from './change.ts';
import type { Context } from '../context.ts';
import { pendingDeploys } from './pending-deploy.ts';
import { appState, type AppState } from '../state.ts';
import { pinned, type Versions } from '../loop/versions.ts';

/** Failures of the version itself: the call answers 200 with `success: false`. */
const UNHEALTHY: ReadonlySet<string> = new Set(['health-timeout', 'exited-early', 'superseded']);
const SETTLE_LIMIT_MS = 2 * 3_600_000;

export interface DeployParts {
  readonly versions: Versions;
  /** Resolves at the end of the next pass. */
  readonly nextPass: (limitMs: number) => Promise<void>;
  /** Apps with an imperative call in hand. */
  readonly busy: Set<string>;
}

export function deploy(
  ctx: Context,
  parts: DeployParts,
  request: { readonly app: string; readonly ref: string; readonly caller: Caller },
): Promise<Result<DeployAnswer>> {
  return alone(ctx, parts, request.app, async (app, state) => {
    const asked = pinned(app, request.ref);
    const version = await parts.versions.resolve(asked, ctx.state.record?.commit ?? '', ctx.signal);
    if (!version.ok) return version;
    const { commit: ref } = version.value;
    const message = `${app.name}: deploy ${short(ref)}`;
    return change(ctx, parts, { app, state, ref, caller: request.caller, message });
  });
}

export function rollback(
  ctx: Context,
  parts: DeployParts,
  request: { readonly app: string; readonly caller: Caller },
): Promise<Result<DeployAnswer>> {
  return alone(ctx, parts, request.app, async (app, state) => {
    const target = rollbackTarget(state);
    if (!target.ok) return target;
    const message = `${app.name}: roll back to ${short(target.value)}`;
    return change(ctx, parts, { app, state, ref: target.value, caller: request.caller, message });
  });
}

/** One imperative call for an app at a time, and none while the loop changes it. */
async function alone(
  ctx: Context,
  parts: DeployParts,
  name: string,
  call: (app: App, state: AppState) => Promise<Result<DeployAnswer>>,
): Promise<Result<DeployAnswer>> {
  const app = ctx.state.intent?.apps.get(name);
  if (app === undefined) return err(unknownUnit(name));
  const state = appState(ctx.state, name);
  if (parts.busy.has(name) || (state.work !== null && state.work.do !== 'stop')) return err(inProgress(name));
  parts.busy.add(name);
  try {
    return await call(app, state);
  } finally {
    parts.busy.delete(name);
  }
}

export function rollbackTarget(state: AppState): Result<string> {
  const { live, previous } = state.links;
  if (previous === null)
    return err(failure('no-previous-slot', `${state.name} has no previous slot to go back to`));
  if (live?.commit === previous.commit) {
    return err(
      failure(
        'no-previous-slot',
        `the previous slot of ${state.name} holds the same commit under another configuration; revert the intent commit instead`,
      ),
    );
  }
  return ok(previous.commit);
}

interface Change {
  readonly app: App;
  readonly state: AppState;
  readonly ref: string;
  readonly caller: Caller;
  readonly message: string;
}

async function change(ctx: Context, parts: DeployParts, request: Change): Promise<Result<DeployAnswer>> {
  const { app, state, ref, caller, message } = request;
  const former = state.links.live?.commit ?? '';
  state.lastFailure = null;
  const heldBefore = versionHold(ctx, app.name);
  const committed = await commitRef(ctx, { app: app.name, ref, caller, message });
  if (!committed.ok) return committed;
  const { commit, changed } = committed.value;
  if (changed)
    expectOutcome(ctx, { app: app.name, intent: commit, author: authorOf(caller) }, app.source.ref);
  // Who asks for it wants it tried, also when it failed before; not again when it has failed since the branch moved.
  if (heldBefore !== null && versionHold(ctx, app.name)?.at === heldBefore.at) {
    ctx.ports.store.holds.delete(app.name, 'version');
  }
  const problem = await settled(ctx, parts, request, commit);
  const slot = state.links.live?.slot ?? '';
  if (problem === null) {
    const previous = changed ? former : (state.links.previous?.commit ?? '');
    return ok({ success: true, slot, commit: ref, previous_commit: previous });
  }
  await goneBack(ctx, parts, app.name);
  return UNHEALTHY.has(problem.code)
    ? ok(refusal(problem, { slot, commit: ref, previous_commit: former }))
    : err(problem);
}

function versionHold(ctx: Context, app: string): Hold | null {
  return ctx.ports.store.holds.all().find((hold) => hold.unit === app && hold.kind === 'version') ?? null;
}

function refusal(
  problem: Failure,
  about: Pick<DeployAnswer, 'slot' | 'commit' | 'previous_commit'>,
): DeployAnswer {
  const { health, log_tail: tail } = problem.details ?? {};
  return {
    success: false,
    ...about,
    reason: problem.message,
    ...(health === undefined ? {} : { health: health as NonNullable<DeployAnswer['health']> }),
    ...(tail === undefined ? {} : { log_tail: tail as readonly string[] }),
  };
}

/** Null when the version is live; the failure when it was refused. Looks again after every pass. */
async function settled(
  ctx: Context,
  parts: DeployParts,
  request: Change,
  intent: string,
): Promise<Failure | null> {
  const deadline = ctx.ports.clock.now() + SETTLE_LIMIT_MS;
  ctx.wake();
  for (;;) {
    const verdict = await judge(ctx, request, intent);
    if (verdict !== 'open') return verdict;
    const left = deadline - ctx.ports.clock.now();
    if (left <= 0 || ctx.signal.aborted) {
      return failure('superseded', 'the daemon is ending; the deploy goes on when it is back');
    }
    await parts.nextPass(Math.min(left, 1000));
  }
}

/** Nothing is said while work is in hand, or before the loop has taken the commit (or a newer one) up. */
async function judge(
  ctx: Context,
  { app, state, ref }: Change,
  intent: string,
): Promise<Failure | null | 'open'> {
  const refused = refusedHead(ctx, intent);
  if (refused !== null) return refused;
  const current = ctx.state.record?.commit === intent;
  if (state.work !== null || !(current || (await overtaken(ctx, intent)))) return 'open';
  const desired = ctx.state.desired?.apps.get(app.name);
  const { live } = state.links;
  if (live?.commit === ref && desired?.digest === live.digest) return null;
  if (state.lastFailure?.commit === ref) return state.lastFailure.failure;
  if (current) return blockOn(ctx, app.name, intent) ?? 'open';
  return desired?.version?.commit === ref ? 'open' : failure('superseded', 'a newer commit took its place');
}

/** Nothing will be done about it by itself: a port that is taken, a suspended app. */
function blockOn(ctx: Context, app: string, intent: string): Failure | null {
  const { plan } = ctx.state;
  const block = plan?.commit === intent ? plan.blocked.find((one) => one.unit === app) : undefined;
  return block === undefined || block.code === 'backing-off' ? null : failure(block.code, block.reason);
}

/** The branch is back at what is live before the caller hears of the failure; some deploys have nothing to go back from. */
async function goneBack(ctx: Context, parts: DeployParts, app: string): Promise<void> {
  for (let i = 0; i < 50 && pendingDeploys(ctx).has(app) && !ctx.signal.aborted; i++)
    await parts.nextPass(100);
}

function inProgress(app: string): Failure {
  return failure('deploy-in-progress', `a deploy of ${app} is in progress; try again when it has ended`, {
    retry: { kind: 'after', ms: 1000 },
  });
}
