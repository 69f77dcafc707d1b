/**
 * The control loop in this process over thousands of units: the real repository, loader, planner and store; the memory
 * backend; everything else is plain data. Counts what the loop asks of its ports.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryBackend } from '../../backends/memory/backend.ts';
import { createMemoryWorld } from '../../backends/memory/world.ts';
import { openIntentRepository } from '../../src/adapters/git/repository.ts';
import { openStore } from '../../src/adapters/store/open.ts';
import { steadyStore } from '../../src/control/steady-store.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { systemRandom } from '../../src/adapters/system/random.ts';
import { ok, type Result } from '../../src/base/result.ts';
import { adoptWorld, readSlots } from '../../src/control/loop/adopt.ts';
import { followHead } from '../../src/control/loop/admit.ts';
import type { Context, ControlPorts } from '../../src/control/context.ts';
import { createEventLog } from '../../src/control/events.ts';
import { createLoader, type Loader } from '../../src/control/loop/load.ts';
import { look } from '../../src/control/loop/observe.ts';
import { createReconciler, type Reconciler } from '../../src/control/loop/reconcile.ts';
import { newState } from '../../src/control/state.ts';
import { createVersions, type Versions } from '../../src/control/loop/versions.ts';
import { instanceId } from '../../src/model/ids.ts';
import { slotName, type SlotLinks } from '../../src/model/slot.ts';
import type { SourceVersion } from '../../src/model/source.ts';
import { desiredApp } from '../../src/plan/desired.ts';
import type { SlotStore } from '../../src/ports.ts';
import { eventually } from '../support/wait.ts';
import { commitFiles, emptyRepository, manyDocuments } from './many-documents.ts';

export interface LargeWorld extends AsyncDisposable {
  /** Work tree of the intent repository that the loop follows. */
  readonly dir: string;
  readonly ctx: Context;
  readonly loader: Loader;
  readonly versions: Versions;
  readonly reconciler: Reconciler;
  /** Calls so far, as `port.method`. */
  readonly calls: Map<string, number>;
}

const quiet = {
  info: () => undefined,
  warn: () => undefined,
  error: (message: string) => console.error(message),
};
const COMMIT = 'a'.repeat(40);
/** Of every app; nothing is there, and nothing asks. */
export const SOURCE = { repo: '/srv/app', ref: COMMIT };

/** A system of `count` apps, all of them live, converged, and with their sources known. */
export async function openLargeWorld(count: number): Promise<LargeWorld> {
  const root = await mkdtemp(join(tmpdir(), 'mst-bench-world-'));
  const dir = join(root, 'intent');
  await emptyRepository(dir);
  await commitFiles(dir, manyDocuments(count, SOURCE));
  const repository = must(
    await openIntentRepository({ path: join(dir, '.git'), branch: 'main', log: quiet, clock: systemClock }),
  );
  const store = must(openStore({ file: join(root, 'state.db') }));
  const world = createMemoryWorld({ clock: systemClock });
  const backend = createMemoryBackend({ world });
  const slots = new Map<string, SlotLinks>();
  const calls = new Map<string, number>();
  const abort = new AbortController();
  const ports: ControlPorts = counted(calls, {
    clock: systemClock,
    random: systemRandom,
    log: quiet,
    repository,
    notes: { write: async () => ok(), list: async () => [] },
    sourceNotes: () => null,
    sources: {
      resolve: async (source) => ok(version(source)),
      watch: () => never(),
      reread: () => undefined,
    },
    slots: slotStore(slots),
    commands: { run: async () => ok() },
    environment: { resolve: async ({ env }) => ok(env), forget: async () => undefined },
    backend,
    ports: {
      allocate: async (n) => Array.from({ length: n }, (_, i) => 20_000 + i),
      release: () => undefined,
    },
    probe: { http: async () => ({ kind: 'answered', status: 200 }) },
    proxy: {
      apply: async () => ok([]),
      drain: async () => ok(0),
      stats: async () => ok({ generations: {}, version: 0, rssBytes: 0 }),
      stop: async () => undefined,
      close: async () => undefined,
    },
    store,
    webhook: { post: async () => ok() },
    disk: { free: async () => null },
  });
  const ctx: Context = {
    ports: { ...ports, store: steadyStore(ports.store, ports.log) },
    options: {
      publicHost: '127.0.0.1',
      version: '0',
      branch: 'main',
      presence: 'none',
      setupTimeoutMs: 1_000,
      followLimitMs: 1_000,
    },
    state: newState(Date.now()),
    events: createEventLog(systemClock, (text) => text),
    wake: () => undefined,
    signal: abort.signal,
  };
  const [loader, versions] = [createLoader(ports.repository), createVersions(ctx)];
  const reconciler = createReconciler(ctx, {
    loader,
    versions,
    passed: () => undefined,
    noted: () => undefined,
  });
  await followHead(ctx, loader);
  for (const app of ctx.state.intent?.apps.values() ?? []) {
    const { digest } = desiredApp(app, version(app.source), null);
    const slot = slotName(COMMIT, []);
    slots.set(app.name, { live: { slot, commit: COMMIT, digest, promotedAt: 1 }, previous: null });
    await backend.apply(
      {
        id: instanceId(app.name, slot, 1),
        app: app.name,
        slot,
        digest,
        commit: COMMIT,
        dir: '/',
        command: '',
        env: {},
        port: 1,
        internalPort: null,
      },
      abort.signal,
    );
  }
  await readSlots(ctx);
  await look(ctx);
  await adoptWorld(ctx);
  await eventually(
    'the large world has converged',
    async () => {
      await reconciler.pass();
      return ctx.state.record?.state === 'converged' && ctx.state.plan?.unchanged.length === count;
    },
    120_000,
  );
  return {
    dir,
    ctx,
    loader,
    versions,
    reconciler,
    calls,
    [Symbol.asyncDispose]: async () => {
      abort.abort();
      await backend.close();
      store.close();
      await repository.close();
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function version(source: SourceVersion['source']): SourceVersion {
  return { source, commit: COMMIT, tree: COMMIT, gitDir: '/srv/app', followed: false };
}

function slotStore(slots: Map<string, SlotLinks>): SlotStore {
  return {
    apps: async () => [...slots.keys()],
    links: async (app) => slots.get(app) ?? { live: null, previous: null },
    dir: (app, slot) => `/apps/${app}/${slot}`,
    stagingDir: (app) => `/apps/${app}/staging`,
    intact: async () => true,
    checkout: async () => ok('/'),
    abandon: async () => undefined,
    promote: async (app, record) => {
      const links = { live: record, previous: slots.get(app)?.live ?? null };
      slots.set(app, links);
      return links;
    },
    tidy: async () => undefined,
    recover: async () => undefined,
    remove: async () => undefined,
    journal: async () => undefined,
    readJournal: async () => [],
  };
}

async function* never(): AsyncIterable<void> {
  // Nothing ever moves.
}

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

/** The same ports, each call of a method counted under `port.method`; tables of the store as `store.table.method`. */
function counted<T extends object>(calls: Map<string, number>, target: T, path = ''): T {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key);
      if (typeof key === 'symbol') return value;
      const name = path === '' ? key : `${path}.${key}`;
      if (typeof value === 'function') {
        return (...args: readonly unknown[]): unknown => {
          calls.set(name, (calls.get(name) ?? 0) + 1);
          return Reflect.apply(value, object, args);
        };
      }
      return typeof value === 'object' && value !== null && path.split('.').length < 2
        ? counted(calls, value, name)
        : value;
    },
  });
}
