/** A control plane that holds plain data: what a test puts in comes out, and what was asked is written down. */
import { err, failure, ok } from '../../src/base/result.ts';
import type { Result } from '../../src/base/result.ts';
import type {
  AppStatus,
  CommitStatus,
  ControlPlane,
  DeployAnswer,
  HistoryItem,
  Metric,
  SystemStatus,
  Why,
} from '../../src/model/control-plane.ts';
import type { Event } from '../../src/model/event.ts';
import type { ShownPlan } from '../../src/model/plan.ts';
import type { JournalEntry } from '../../src/model/slot.ts';
import type { LogLine } from '../../src/ports.ts';

export interface FakeControlPlane extends ControlPlane {
  /** Every call that would have changed something, e.g. `deploy web abc operator`. */
  readonly calls: string[];
  readonly state: FakeState;
  /** Appends to the feed and tells those who listen. */
  emit(type: string, more?: Partial<Event>): Event;
  readonly listeners: () => number;
}

export interface FakeState {
  ready: boolean;
  apps: string[];
  /** The next answers of deploy and rollback. */
  deploy: Result<DeployAnswer>;
  commits: Map<string, CommitStatus>;
  /** What `logs` yields before it ends, or hangs when following. */
  lines: LogLine[];
  metrics: Metric[];
  /** How many events the feed keeps. */
  keep: number;
  firstEventId: number;
}

export const ABC = 'a'.repeat(40);
const T = '2026-11-20T08:00:00.000Z';

function appStatus(app: string): AppStatus {
  return {
    app,
    live_slot: 'slot-aaaaaaaa',
    live_commit: ABC,
    previous_slot: '',
    previous_commit: '',
    last_deploy_time: T,
    healthy: true,
    staging_dir: '/data/slots/staging',
    desired_commit: ABC,
    state: 'converged',
    reason: '',
    url: 'http://127.0.0.1:8080',
    instances: [
      {
        id: `${app}@slot-aaaaaaaa.1`,
        slot: 'slot-aaaaaaaa',
        role: 'live',
        state: 'running',
        healthy: true,
        handle: '42',
        port: 4242,
        started_at: T,
      },
    ],
  };
}

export function commitStatus(commit: string, more: Partial<CommitStatus> = {}): CommitStatus {
  return {
    commit,
    state: 'converged',
    at: T,
    took_ms: 5,
    by: 'A <a@example.org>',
    subject: 'one',
    plan: { start: 1, stop: 0, swap: 0, unchanged: 0 },
    apps: { web: { slot: 'slot-aaaaaaaa', commit: ABC, previous_commit: '', healthy: true, url: '' } },
    actions: [{ do: 'start', unit: 'web', because: 'it is new', result: 'created', took_ms: 4 }],
    reason: null,
    diagnostics: [],
    superseded_by: null,
    revision: 3,
    verdict: { done: true, ok: true, commit, message: 'converged' },
    ...more,
  };
}

const plan: ShownPlan & { readonly diagnostics: readonly string[] } = {
  commit: ABC,
  actions: [{ do: 'start', unit: 'web', because: 'it is new', after: [], to: ABC, digest: 'd' }],
  unchanged: [],
  under_way: [],
  blocked: [{ unit: 'api', code: 'held', reason: 'it failed', until: null }],
  counts: { start: 1, stop: 0, swap: 0, unchanged: 0 },
  next_pass_at: null,
  diagnostics: [],
};

const entry: JournalEntry = {
  at: T,
  app: 'web',
  do: 'deploy',
  slot: 'slot-aaaaaaaa',
  commit: ABC,
  previous_commit: null,
  intent: ABC,
  trigger: 'api',
  result: 'promoted',
  reason: null,
  took_ms: 7,
  health: { attempts: 1, last: '200' },
};

const why: Why = {
  unit: 'web',
  wanted: 'run',
  is: 'running',
  last_action: {
    do: 'start',
    unit: 'web',
    because: 'new',
    result: 'created',
    took_ms: 4,
    at: T,
    commit: ABC,
    observed: 'nothing',
  },
  blocked: null,
  next: '',
};

export function createFakeControlPlane(apps: readonly string[] = ['web']): FakeControlPlane {
  const calls: string[] = [];
  const listeners = new Set<(event: Event) => void>();
  const events: Event[] = [];
  const state: FakeState = {
    ready: true,
    apps: [...apps],
    deploy: ok({ success: true, slot: 'slot-aaaaaaaa', commit: ABC, previous_commit: '' }),
    commits: new Map([[ABC, commitStatus(ABC)]]),
    lines: [
      { at: 1, stream: 'stdout', text: 'hello' },
      { at: null, stream: 'stderr', text: 'world' },
    ],
    metrics: [
      {
        name: 'mainstay_passes_total',
        help: 'Passes.',
        type: 'counter',
        samples: [{ labels: {}, value: 1 }],
      },
    ],
    keep: 1000,
    firstEventId: 1000,
  };
  let last = state.firstEventId;

  const known = <T>(app: string, value: T): Result<T> =>
    state.apps.includes(app) ? ok(value) : err(failure('unknown-unit', `There is no unit named ${app}.`));

  return {
    calls,
    state,
    listeners: () => listeners.size,
    emit: (type, more = {}) => {
      const event: Event = { id: ++last, at: T, type, message: type, ...more };
      events.push(event);
      while (events.length > state.keep) events.shift();
      for (const listener of listeners) listener(event);
      return event;
    },
    events: {
      since: (id) => {
        const first = events[0]?.id ?? last + 1;
        return { events: events.filter((event) => event.id > id), gap: id + 1 < first && id < last };
      },
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      get last() {
        return last;
      },
    },
    ready: () => state.ready,
    status: () => Promise.resolve(systemStatus(state.apps)),
    apps: () => state.apps,
    app: (name) => Promise.resolve(known(name, appStatus(name))),
    plan: (ref, against) => {
      calls.push(`plan ${ref} ${against}`);
      return Promise.resolve(ok(plan));
    },
    commit: (ref) => Promise.resolve(commitOf(state, ref)),
    waitCommit: async (ref, { revision, timeoutMs }, signal) => {
      calls.push(`wait ${ref} ${revision} ${timeoutMs}`);
      const found = commitOf(state, ref);
      if (!found.ok || found.value.verdict.done) return found;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      calls.push('wait aborted');
      return found;
    },
    history: ({ limit, cursor, app }) => {
      calls.push(`history ${limit} ${cursor} ${app}`);
      return Promise.resolve({ items: [historyItem()], next: null });
    },
    journal: (app) => Promise.resolve(known(app, [entry])),
    why: (unit) => Promise.resolve(known(unit, { ...why, unit })),
    deploy: (app, commit, caller) => {
      calls.push(`deploy ${app} ${commit} ${caller.name}`);
      return Promise.resolve(state.apps.includes(app) ? state.deploy : known(app, null as never));
    },
    rollback: (app, caller) => {
      calls.push(`rollback ${app} ${caller.name}`);
      return Promise.resolve(state.apps.includes(app) ? state.deploy : known(app, null as never));
    },
    planDeploy: (app) => Promise.resolve(known(app, planWithout())),
    planRollback: (app) => Promise.resolve(known(app, planWithout())),
    suspend: (unit, suspended, caller) => {
      calls.push(`${suspended ? 'suspend' : 'resume'} ${unit} ${caller.name}`);
      return Promise.resolve(known(unit, { commit: ABC }));
    },
    restart: (unit, caller) => {
      calls.push(`restart ${unit} ${caller.name}`);
      return Promise.resolve(known(unit, { unit }));
    },
    logs: (unit, query, signal) =>
      Promise.resolve(known(unit, lines(state.lines, query.follow === true, signal))),
    metrics: () => Promise.resolve(state.metrics),
    shutdown: (caller) => {
      calls.push(`shutdown ${caller.name}`);
      return Promise.resolve();
    },
  };
}

function systemStatus(apps: readonly string[]): SystemStatus {
  return {
    mode: 'normal',
    commit: ABC,
    head: ABC,
    state: 'converged',
    reason: '',
    branch: 'main',
    presence: 'off',
    apps: apps.map(appStatus),
    drift: [{ unit: 'web', found: 'the process had ended', at: T }],
    started_at: T,
    version: '0.0.0',
  };
}

function historyItem(): HistoryItem {
  const { commit, at, by, subject, state, took_ms, reason, apps } = commitStatus(ABC);
  return { commit, at, by, subject, state, took_ms, reason, apps };
}

function planWithout(): ShownPlan {
  const { diagnostics: _, ...rest } = plan;
  return rest;
}

function commitOf(state: FakeState, ref: string): Result<CommitStatus> {
  const found = state.commits.get(ref);
  return found === undefined ? err(failure('unknown-commit', `No commit is named ${ref}.`)) : ok(found);
}

async function* lines(all: readonly LogLine[], follow: boolean, signal: AbortSignal): AsyncIterable<LogLine> {
  for (const line of all) {
    if (signal.aborted) return;
    yield line;
  }
  if (!follow || signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
