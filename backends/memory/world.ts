/**
 * The machine that the memory backend runs on: instances as plain data on a clock, with scripted faults. It is kept apart
 * from the backend so that a test can throw the backend away, as a crash of the daemon does, and make another on the
 * same world. Deterministic: it draws nothing at random; faults are what the script says.
 */
import type { InstanceExit, InstanceSpec, ObservedInstance } from '../../src/model/instance.ts';
import type { Clock } from '../../src/ports.ts';

/** What one run of an instance does. All optional: by default it starts at once, runs, and ends at SIGTERM at once. */
export interface MemoryBehaviour {
  /** `fail`: `start-failed`. `hang`: never done; until the start is aborted or the instance removed. */
  readonly start?: 'fail' | 'hang';
  /** The start takes this long. */
  readonly startMs?: number;
  /** Ends by itself after this time… */
  readonly exitAfterMs?: number;
  /** …with this code (0). */
  readonly exitCode?: number;
  /** Takes this long to end after SIGTERM. Infinity: only SIGKILL ends it. */
  readonly stopMs?: number;
  /** Lines that it writes right after its start. */
  readonly output?: readonly string[];
}

/** The script. Each is asked every time with a count from 1, so that `n === 2` means the second time. */
export interface MemoryFaults {
  readonly behave?: (
    spec: InstanceSpec,
    environment: Readonly<Record<string, string>>,
    n: number,
  ) => MemoryBehaviour;
  /** A message makes this observation fail. */
  readonly observe?: (n: number) => string | null;
  /** A message makes this removal fail and leaves the instance as it is. */
  readonly remove?: (id: string, n: number) => string | null;
}

/** Mutable: one run. */
export interface MemoryRun {
  readonly spec: InstanceSpec;
  readonly behaviour: MemoryBehaviour;
  readonly startedAt: number;
  readonly handle: string;
  readonly startedSeq: number;
  exit: InstanceExit | null;
  /** Aborted when it ends. */
  readonly ended: AbortController;
}

export interface MemoryWorld {
  readonly clock: Clock;
  readonly owner: string;
  readonly faults: MemoryFaults;
  /** Everything that is there, running or exited. For tests: no fault hides anything here. */
  list(): readonly ObservedInstance[];
  /** Ends a running instance as from outside (default: by SIGKILL). False when there is none. */
  kill(id: string, exit?: { readonly code: number | null; readonly signal: string | null }): boolean;
  /** Adds a line to an instance's log. */
  write(id: string, text: string): void;
  /** How many times this instance has been started. */
  starts(id: string): number;

  // What follows is for the backend.
  readonly runs: Map<string, MemoryRun>;
  readonly exitListeners: Set<(id: string) => void>;
  begin(spec: InstanceSpec, behaviour: MemoryBehaviour): MemoryRun;
  /** How often this instance's start has been tried, with this one. */
  attempt(id: string): number;
  /** Numbers calls, starts and failures in one order. */
  next(): number;
  lines(id: string): MemoryLog;
}

export interface MemoryLog {
  /** The newest lines; the first of them is line number `first`. */
  readonly kept: string[];
  first: number;
  readonly waiting: Set<() => void>;
}

const MAX_LINES = 1_000;

/** An empty world. `owner` names the installation, as for the process backend. */
export function createMemoryWorld(options: {
  readonly clock: Clock;
  readonly owner?: string;
  readonly faults?: MemoryFaults;
}): MemoryWorld {
  const { clock } = options;
  const logs = new Map<string, MemoryLog>();
  const starts = new Map<string, number>();
  const attempts = new Map<string, number>();
  let counter = 0;

  const world: MemoryWorld = {
    clock,
    owner: options.owner ?? 'memory',
    faults: options.faults ?? {},
    runs: new Map(),
    exitListeners: new Set(),
    list: () => [...world.runs.values()].map(observedRun),
    kill(id, exit = { code: null, signal: 'SIGKILL' }) {
      const run = world.runs.get(id);
      if (run === undefined || run.exit !== null) return false;
      run.exit = { at: clock.now(), ...exit };
      run.ended.abort();
      for (const wake of world.lines(id).waiting) wake();
      for (const listener of world.exitListeners) listener(id);
      return true;
    },
    write(id, text) {
      const log = world.lines(id);
      log.kept.push(text);
      if (log.kept.length > MAX_LINES) {
        log.kept.shift();
        log.first += 1;
      }
      for (const wake of log.waiting) wake();
    },
    starts: (id) => starts.get(id) ?? 0,
    attempt(id) {
      const n = (attempts.get(id) ?? 0) + 1;
      attempts.set(id, n);
      return n;
    },
    next: () => ++counter,
    begin(spec, behaviour) {
      const n = world.next();
      const run: MemoryRun = {
        spec,
        behaviour,
        startedAt: clock.now(),
        handle: `memory-${n}`,
        startedSeq: n,
        exit: null,
        ended: new AbortController(),
      };
      world.runs.set(spec.id, run);
      starts.set(spec.id, world.starts(spec.id) + 1);
      for (const text of behaviour.output ?? []) world.write(spec.id, text);
      exitLater(world, run);
      return run;
    },
    lines(id) {
      const log = logs.get(id) ?? { kept: [], first: 0, waiting: new Set() };
      logs.set(id, log);
      return log;
    },
  };
  return world;
}

function exitLater(world: MemoryWorld, run: MemoryRun): void {
  const { exitAfterMs, exitCode } = run.behaviour;
  const { id } = run.spec;
  if (exitAfterMs === undefined) return;
  void world.clock.sleep(exitAfterMs, run.ended.signal).then((passed) => {
    if (passed && world.runs.get(id) === run) world.kill(id, { code: exitCode ?? 0, signal: null });
  });
}

export function observedRun(run: MemoryRun): ObservedInstance {
  const { id, app, slot, digest, commit, port, internalPort } = run.spec;
  return {
    id,
    app,
    slot,
    digest,
    commit,
    port,
    internalPort,
    state: run.exit === null ? 'running' : 'exited',
    startedAt: run.startedAt,
    handle: run.handle,
    exit: run.exit,
  };
}
