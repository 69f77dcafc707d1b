/** Puts the control loop together and offers it to the API and to the hooks. Decides nothing itself. */
import { err, failure, ok, type Result } from '../base/result.ts';
import { renderLine } from '../intent/render.ts';
import type { ControlPlane, SystemStatus } from '../model/control-plane.ts';
import type { Plan } from '../model/plan.ts';
import type { PushGate } from '../model/push.ts';
import { desiredApp } from '../plan/desired.ts';
import { makePlan } from '../plan/plan.ts';
import { adoptInstances, adoptSlots } from './adopt.ts';
import { appStatus, knownApps, why } from './app-view.ts';
import { commitSuspend, unknownUnit } from './change.ts';
import { checkPush } from './check-push.ts';
import { commitStatus, history, waitCommit } from './commit-view.ts';
import type { Context, ControlOptions, ControlPorts } from './context.ts';
import { deploy, planFor, rollback, rollbackTarget, type DeployParts } from './deploy.ts';
import { watchDisk } from './disk-watch.ts';
import { createEventLog } from './events.ts';
import { followPush } from './follow-push.ts';
import { createLoader, type Loader } from './load.ts';
import { runLoop, type Loop } from './loop.ts';
import { collectMetrics } from './metrics.ts';
import { runNoteQueue, type NoteQueue } from './note-queue.ts';
import { observed } from './observe.ts';
import { createReconciler } from './reconcile.ts';
import { sourceRef, createVersions, type Versions } from './versions.ts';
import { drainAll } from './shutdown.ts';
import { appState, newState } from './state.ts';
import { followHead } from './admit.ts';

export interface Control {
  readonly plane: ControlPlane;
  readonly gate: PushGate;
  /** Recovers, adopts, and begins to reconcile. Resolves when the first look at the world is done. */
  start(): Promise<void>;
  /** Drains and ends all that runs. */
  drain(): Promise<void>;
  /** Ends the loop; what runs goes on. Resolves when nothing of it is under way any more. */
  stop(): Promise<void>;
}

export interface ControlParts {
  readonly ports: ControlPorts;
  readonly options: ControlOptions;
  /** Masks secrets in everything that goes to people. */
  readonly scrub: (text: string) => string;
  /** Identity of this daemon in notes. */
  readonly daemon: string;
  /** The shutdown call was made: end the process when `drain` is done. */
  readonly onShutdown: () => void;
}

/** A pass at least this often, though nothing was heard. */
const BACKSTOP_MS = 10_000;

interface Built {
  readonly ctx: Context;
  readonly loader: Loader;
  readonly versions: Versions;
  readonly waiters: Set<() => void>;
  readonly busy: Set<string>;
  readonly counters: Map<string, number>;
}

export function createControl(parts: ControlParts): Control {
  const abort = new AbortController();
  let loop: Loop | null = null;
  let notes: NoteQueue | null = null;
  let woken = false;
  const events = createEventLog(parts.ports.clock, parts.scrub);
  const ctx: Context = {
    ports: parts.ports,
    options: parts.options,
    state: newState(parts.ports.clock.now()),
    events,
    wake: () => (loop === null ? (woken = true) : loop.wake()),
    signal: abort.signal,
  };
  const built: Built = {
    ctx,
    loader: createLoader(parts.ports.repository),
    versions: createVersions(ctx),
    waiters: new Set(),
    busy: new Set(),
    counters: new Map(),
  };
  events.subscribe((event) => built.counters.set(event.type, (built.counters.get(event.type) ?? 0) + 1));
  const { loader, versions, waiters } = built;
  const reconciler = createReconciler(ctx, {
    loader,
    versions,
    noted: () => notes?.wake(),
    passed: () => waiters.forEach((waiter) => waiter()),
  });
  const gate: PushGate = {
    check: (push, print, signal) => checkPush(ctx, { loader, versions }, push, { print, signal }),
    follow: (push, print, signal) =>
      followPush(
        ctx,
        {
          planOf: (commit) => planOf(built, commit, null).then((plan) => (plan.ok ? plan.value : null)),
          notesIdle: (limitMs) => notes?.idle(limitMs) ?? Promise.resolve(false),
        },
        push,
        { print, signal },
      ),
  };
  let watches: readonly Promise<void>[] = [];
  return {
    plane: plane(built, parts),
    gate,
    async start() {
      notes = runNoteQueue(ctx, parts.daemon);
      await adoptSlots(ctx);
      await followHead(ctx, loader);
      await adoptInstances(ctx);
      loop = runLoop({
        clock: ctx.ports.clock,
        log: ctx.ports.log,
        pass: () => reconciler.pass(),
        backstopMs: BACKSTOP_MS,
        signal: ctx.signal,
      });
      if (woken) loop.wake();
      ctx.ports.backend.subscribe(() => ctx.wake());
      watches = [wakeOnRefs(ctx), wakeOnSources(ctx, versions), watchDisk(ctx)];
      ctx.state.ready = true;
    },
    drain: async () => {
      ctx.state.mode = 'draining';
      await drainAll(ctx);
    },
    async stop() {
      abort.abort();
      await Promise.all([loop?.done, notes?.done, ...watches]);
      waiters.forEach((waiter) => waiter());
    },
  };
}

async function wakeOnRefs(ctx: Context): Promise<void> {
  for await (const _ of ctx.ports.repository.watch(ctx.signal)) ctx.wake();
}

async function wakeOnSources(ctx: Context, versions: Versions): Promise<void> {
  const sources = () => [...(ctx.state.intent?.apps.values() ?? [])].map(sourceRef);
  for await (const _ of ctx.ports.sources.watch(sources, ctx.signal)) versions.invalidate();
}

/** What would be done if that commit were taken up now, or what differs between two commits. */
async function planOf(
  built: Built,
  ref: string | null,
  against: string | null,
): Promise<Result<Plan & { readonly diagnostics: readonly string[] }>> {
  const { ctx, loader, versions } = built;
  const { repository } = ctx.ports;
  const commit = await repository.resolve(ref ?? repository.watchedRef);
  if (commit === null)
    return err(
      failure(
        'unknown-commit',
        `the intent repository has no commit ${JSON.stringify(ref ?? ctx.options.branch)}`,
      ),
    );
  const loaded = await loader.load(commit);
  const diagnostics = loaded.diagnostics.map(renderLine);
  if (loaded.intent === null)
    return err(
      failure('intent-invalid', `the intent of ${commit} is not valid`, { details: { diagnostics } }),
    );
  const desired = await resolveAll(built, loaded.intent);
  const base = against === null || against === 'live' ? observed(ctx) : await asIf(built, against);
  if (base === null)
    return err(
      failure('unknown-commit', `the intent repository has no valid commit ${JSON.stringify(against)}`),
    );
  const still = {
    apps: new Map(
      [...base.apps].map(([name, app]) => [name, { ...app, work: null, retiring: new Set<string>() }]),
    ),
  };
  void versions;
  return ok({ ...makePlan(desired, still, ctx.ports.clock.now()), diagnostics });
}

async function resolveAll(
  built: Built,
  intent: NonNullable<Context['state']['intent']>,
): Promise<ReturnType<Versions['desired']>> {
  const { ctx, versions } = built;
  const resolved = await Promise.all(
    [...intent.apps.values()].map(async (app) => {
      const found = await versions.resolve(app, intent.commit, ctx.signal);
      return [
        app.name,
        found.ok ? desiredApp(app, found.value, null) : desiredApp(app, null, found.error),
      ] as const;
    }),
  );
  return { commit: intent.commit, system: intent.system, apps: new Map(resolved) };
}

/** The world as it would be if that commit had converged. */
async function asIf(built: Built, ref: string): Promise<ReturnType<typeof observed> | null> {
  const commit = await built.ctx.ports.repository.resolve(ref);
  const intent = commit === null ? null : (await built.loader.load(commit)).intent;
  if (intent === null) return null;
  const desired = await resolveAll(built, intent);
  const now = built.ctx.ports.clock.now();
  const apps = new Map(
    [...desired.apps.values()].map((app) => {
      const slot = `slot-${app.version?.commit.slice(0, 8) ?? 'unknown'}`;
      const live = { slot, commit: app.version?.commit ?? '', digest: app.digest, promotedAt: now };
      const instances = Array.from({ length: app.app.replicas }, (_, i) => ({
        id: `${app.name}@${slot}.${i + 1}`,
        app: app.name,
        slot,
        digest: app.digest,
        commit: live.commit,
        port: 0,
        internalPort: null,
        state: 'running' as const,
        startedAt: now,
        handle: '',
        exit: null,
        healthy: true,
      }));
      const rest = {
        work: null,
        crashes: null,
        hold: null,
        liveHold: null,
        restartAsked: false,
        listenFailure: null,
        previousIntact: false,
      };
      return [
        app.name,
        { name: app.name, links: { live, previous: null }, instances, retiring: new Set<string>(), ...rest },
      ] as const;
    }),
  );
  return { apps };
}

function plane(built: Built, parts: ControlParts): ControlPlane {
  const { ctx, versions, waiters, busy } = built;
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
    plan: (ref, against) => planOf(built, ref, against),
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
    planDeploy: (app, ref) => planFor(ctx, versions, app, ref),
    planRollback: async (app) => {
      if (!knownApps(ctx).includes(app)) return err(unknownUnit(app));
      const target = rollbackTarget(appState(ctx.state, app));
      return target.ok ? planFor(ctx, versions, app, target.value) : target;
    },
    suspend: (unit, suspended, caller) => commitSuspend(ctx, unit, suspended, caller),
    restart: async (unit) => restart(ctx, unit),
    logs: async (unit, query, signal) => logs(ctx, unit, query, signal),
    metrics: () => collectMetrics(ctx, built.counters),
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
  const mine = ctx.state.instances.filter((instance) => instance.app === name);
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
    mode: state.mode,
    commit: state.record?.commit ?? '',
    head,
    state: refused?.state ?? state.record?.state ?? 'empty',
    reason: refused?.reason ?? state.record?.reason ?? '',
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
