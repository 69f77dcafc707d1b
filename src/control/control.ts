/** Puts the control loop together, starts it and ends it. Decides nothing itself. */
import type { ControlPlane } from '../model/control-plane.ts';
import type { PushGate } from '../model/push.ts';
import { adoptWorld, readSlots } from './loop/adopt.ts';
import { followHead } from './loop/admit.ts';
import { checkPush } from './push/check-push.ts';
import type { Context, ControlOptions, ControlPorts } from './context.ts';
import { watchDisk } from './disk-watch.ts';
import { createEventLog } from './events.ts';
import { followPush } from './push/follow-push.ts';
import { createLoader } from './loop/load.ts';
import { look } from './loop/observe.ts';
import { runLoop, type Loop } from './loop/loop.ts';
import { restoreRecords } from './records/restore.ts';
import { runNoteQueue, type NoteQueue } from './records/note-queue.ts';
import { planOf, type PlanView } from './calls/plan-view.ts';
import { createPlane } from './calls/plane.ts';
import { createReconciler } from './loop/reconcile.ts';
import { drainAll } from './actions/shutdown.ts';
import { newState } from './state.ts';
import { steadily } from './steadily.ts';
import { steadyStore } from './steady-store.ts';
import { sourceRef, createVersions, type Versions } from './loop/versions.ts';

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
/** Work in hand that was given up gets this long to leave nothing behind; what it leaves, the next daemon finds. */
const STOP_LIMIT_MS = 5000;

/** What begins with `start`. */
interface Running {
  readonly loop: Loop;
  readonly notes: NoteQueue;
  readonly watches: readonly Promise<void>[];
}

export function createControl(parts: ControlParts): Control {
  const abort = new AbortController();
  let running: Running | null = null;
  const { options } = parts;
  const ports = { ...parts.ports, store: steadyStore(parts.ports.store, parts.ports.log) };
  const events = createEventLog(ports.clock, parts.scrub);
  const counters = new Map<string, number>();
  events.subscribe((event) => counters.set(event.type, (counters.get(event.type) ?? 0) + 1));
  const wake = (): void => running?.loop.wake();
  const ctx: Context = {
    ports,
    options,
    state: newState(ports.clock.now()),
    events,
    wake,
    signal: abort.signal,
  };
  const view: PlanView = { ctx, loader: createLoader(ports.repository), versions: createVersions(ctx) };
  const waiters = new Set<() => void>();
  const passed = (): void => waiters.forEach((waiter) => waiter());
  return {
    plane: createPlane({ ...view, waiters, counters, onShutdown: parts.onShutdown }),
    gate: createGate(view, (limitMs) => running?.notes.idle(limitMs) ?? Promise.resolve(false)),
    async start() {
      await restoreRecords(ctx);
      await readSlots(ctx);
      await followHead(ctx, view.loader);
      await look(ctx);
      await adoptWorld(ctx);
      const notes = runNoteQueue(ctx, parts.daemon);
      const reconciler = createReconciler(ctx, { ...view, noted: () => notes.wake(), passed });
      const pass = (): Promise<number | null> => reconciler.pass();
      const loop = runLoop({
        clock: ports.clock,
        log: ports.log,
        pass,
        backstopMs: BACKSTOP_MS,
        onEnd: (problem) => (ctx.state.passFailure = problem),
        signal: ctx.signal,
      });
      ports.backend.subscribe(wake);
      running = {
        loop,
        notes,
        watches: [
          steadily(ctx, 'refs', () => wakeOnRefs(ctx)),
          steadily(ctx, 'sources', () => wakeOnSources(ctx, view.versions)),
          steadily(ctx, 'disk', () => watchDisk(ctx)),
        ],
      };
      ctx.state.ready = true;
    },
    async drain() {
      ctx.state.mode = 'draining';
      await drainAll(ctx);
    },
    async stop() {
      abort.abort();
      const work = [...ctx.state.apps.values()].flatMap((app) => (app.work === null ? [] : [app.work.done]));
      const limit = new AbortController();
      await Promise.race([Promise.all(work), ports.clock.sleep(STOP_LIMIT_MS, limit.signal)]);
      limit.abort();
      await Promise.all([running?.loop.done, running?.notes.done, ...(running?.watches ?? [])]);
      passed();
    },
  };
}

function createGate(view: PlanView, notesIdle: (limitMs: number) => Promise<boolean>): PushGate {
  const plan = async (commit: string) => {
    const made = await planOf(view, commit, null);
    return made.ok ? made.value : null;
  };
  return {
    check: (push, print, signal) => checkPush(view.ctx, view, push, { print, signal }),
    follow: (push, print, signal) =>
      followPush(view.ctx, { planOf: plan, notesIdle }, push, { print, signal }),
  };
}

async function wakeOnRefs(ctx: Context): Promise<void> {
  for await (const _ of ctx.ports.repository.watch(ctx.signal)) ctx.wake();
}

async function wakeOnSources(ctx: Context, versions: Versions): Promise<void> {
  const sources = () => [...(ctx.state.intent?.apps.values() ?? [])].map(sourceRef);
  for await (const _ of ctx.ports.sources.watch(sources, ctx.signal)) versions.invalidate();
}
