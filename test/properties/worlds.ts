/** Generators of what is wanted and what is there, as the planner gets them: also combinations that no run has shown yet. */
import fc from 'fast-check';
import type { Hold } from '../../src/model/hold.ts';
import type { App } from '../../src/model/intent.ts';
import type { SlotLinks, SlotRecord } from '../../src/model/slot.ts';
import { failure } from '../../src/base/result.ts';
import { desiredApp, type Desired, type DesiredApp } from '../../src/plan/desired.ts';
import type { Observed, ObservedApp, SeenInstance, Work } from '../../src/plan/observed.ts';

export const NOW = 1_000_000;
const NAMES = ['api', 'db', 'web'] as const;
const COMMITS = ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(40)] as const;

export function appOf(name: string, more: Partial<App> = {}): App {
  return {
    kind: 'App',
    name,
    source: { repo: `/src/${name}`, ref: 'main', path: '.' },
    start_command: 'run',
    port: 8000 + NAMES.indexOf(name as (typeof NAMES)[number]),
    health_endpoint: '/healthz',
    health_timeout_ms: 1000,
    drain_timeout_ms: 1000,
    env: {},
    secrets: [],
    shared_dirs: [],
    hosts: [],
    path_prefix: '/',
    replicas: 1,
    on_failure: 'restart',
    after: [],
    keep_previous_warm: false,
    suspend: false,
    ...more,
  };
}

export function versionOf(name: string, commit: string): NonNullable<DesiredApp['version']> {
  const source = { repo: `/src/${name}`, ref: 'main', path: '.' };
  return { source, commit, tree: `tree-${commit}`, gitDir: `/src/${name}`, followed: true };
}

/** The digest of that version under the app's configuration. */
function digestOf(app: App, commit: string): string {
  return desiredApp(app, versionOf(app.name, commit), null).digest;
}

/** Later apps may come after earlier ones, as validated intent has it: never a cycle, nobody unknown. */
function anyApp(name: string, wanted: readonly string[]): fc.Arbitrary<App> {
  const earlier = wanted.slice(0, wanted.indexOf(name));
  return fc
    .record({
      replicas: fc.integer({ min: 1, max: 2 }),
      keep_previous_warm: fc.boolean(),
      suspend: fc.boolean(),
      on_failure: fc.constantFrom('restart', 'hold', 'replace'),
      after: fc.subarray(earlier),
    })
    .map((more) => appOf(name, more as Partial<App>));
}

function anyDesiredApp(app: App): fc.Arbitrary<DesiredApp> {
  const gone = failure('source-unreachable', 'it does not answer');
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .constantFrom(...COMMITS)
        .map((commit) => desiredApp(app, versionOf(app.name, commit), null)),
    },
    { weight: 1, arbitrary: fc.constant(desiredApp(app, null, gone)) },
    { weight: 1, arbitrary: fc.constant(desiredApp(app, null, null)) },
  );
}

const anyDesired: fc.Arbitrary<Desired> = fc
  .subarray([...NAMES])
  .chain((names) => fc.tuple(...names.map((name) => anyApp(name, names).chain(anyDesiredApp))))
  .map((apps) => ({
    commit: 'd'.repeat(40),
    system: { name: 'sys', backend: 'process', guard: { max_stop: 0.5 }, alerts: [] },
    apps: new Map(apps.map((app) => [app.name, app])),
  }));

function anyRecord(app: App, slots: readonly string[]): fc.Arbitrary<SlotRecord> {
  return fc
    .record({ slot: fc.constantFrom(...slots), commit: fc.constantFrom(...COMMITS), own: fc.boolean() })
    .map(({ slot, commit, own }) => ({
      slot,
      commit,
      digest: own ? digestOf(app, commit) : 'another-configuration',
      promotedAt: 1,
    }));
}

function anyLinks(app: App): fc.Arbitrary<SlotLinks> {
  const live = anyRecord(app, ['slot-1']);
  const previous = anyRecord(app, ['slot-2']);
  return fc.oneof(
    fc.constant({ live: null, previous: null }),
    live.map((record) => ({ live: record, previous: null })),
    fc.tuple(live, previous).map(([a, b]) => ({ live: a, previous: b })),
  );
}

function anyInstance(app: App): fc.Arbitrary<SeenInstance> {
  return fc
    .record({
      slot: fc.constantFrom('slot-1', 'slot-2', 'slot-3'),
      n: fc.integer({ min: 1, max: 3 }),
      state: fc.constantFrom('running', 'running', 'exited'),
      healthy: fc.boolean(),
    })
    .map(({ slot, n, state, healthy }) => ({
      id: `${app.name}@${slot}.${n}`,
      app: app.name,
      slot,
      digest: 'any',
      commit: COMMITS[0],
      port: 20_000 + n,
      internalPort: null,
      state: state as 'running' | 'exited',
      startedAt: 1,
      handle: 'h',
      exit: state === 'exited' ? { at: 2, code: 1, signal: null } : null,
      healthy: healthy && state === 'running',
    }));
}

function anyWork(app: App): fc.Arbitrary<Work> {
  return fc.record({
    do: fc.constantFrom('start' as const, 'swap' as const, 'restart' as const, 'stop' as const),
    digest: fc.constantFrom(...COMMITS.map((commit) => digestOf(app, commit)), ''),
    intent: fc.constant('e'.repeat(40)),
    settled: fc.boolean(),
  });
}

function anyHold(app: App, kind: Hold['kind'], digests: readonly string[]): fc.Arbitrary<Hold> {
  return fc
    .record({ digest: fc.constantFrom(...digests), retryAt: fc.constantFrom(null, NOW - 1, NOW + 5000) })
    .map(({ digest, retryAt }) => ({
      unit: app.name,
      kind,
      digest,
      intent: 'e'.repeat(40),
      code: kind === 'live' ? 'crash-loop' : 'health-timeout',
      reason: 'it failed',
      at: 1,
      retryAt: kind === 'live' ? null : retryAt,
      failures: 1,
    }));
}

function anyObservedApp(app: App): fc.Arbitrary<ObservedApp> {
  const digests = COMMITS.map((commit) => digestOf(app, commit));
  return fc
    .record({
      name: fc.constant(app.name),
      links: anyLinks(app),
      previousIntact: fc.boolean(),
      liveIntact: fc.boolean(),
      instances: fc.uniqueArray(anyInstance(app), { selector: (one) => one.id, maxLength: 4 }),
      ending: fc.boolean(),
      work: fc.option(anyWork(app), { nil: null, freq: 3 }),
      crashes: fc.option(
        fc.record({
          exits: fc.constantFrom([NOW - 10], [NOW - 20, NOW - 10]),
          attempts: fc.constantFrom(1, 2),
          restartAt: fc.constantFrom(NOW - 1, NOW + 1000),
        }),
        { nil: null, freq: 2 },
      ),
      hold: fc.option(anyHold(app, 'version', digests), { nil: null, freq: 2 }),
      liveHold: fc.option(anyHold(app, 'live', [...digests, 'another-configuration']), {
        nil: null,
        freq: 3,
      }),
      restartAsked: fc.boolean(),
      listenFailure: fc.option(fc.constant('the port is taken'), { nil: null, freq: 4 }),
    })
    .map(({ ending, ...seen }) => ({
      ...seen,
      retiring: new Set(ending ? seen.instances.slice(0, 1).map((one) => one.id) : []),
    }));
}

/** What is there may be of apps that nobody wants, and under another configuration than the wanted one. */
export const anyWorld: fc.Arbitrary<{ readonly desired: Desired; readonly observed: Observed }> =
  anyDesired.chain((desired) =>
    fc
      .subarray([...NAMES])
      .chain((names) =>
        fc.tuple(...names.map((name) => anyObservedApp(desired.apps.get(name)?.app ?? appOf(name)))),
      )
      .map((apps) => ({ desired, observed: { apps: new Map(apps.map((app) => [app.name, app])) } })),
  );
