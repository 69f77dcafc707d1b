/**
 * The machine on which apps run: the memory backend's world, where every version behaves as its character says, with the
 * truth about each run that no daemon is told. Outlives every daemon.
 */
import { createMemoryBackend } from '../../backends/memory/backend.ts';
import { createMemoryWorld, type MemoryRun, type MemoryWorld } from '../../backends/memory/world.ts';
import { err, failure, ok } from '../../src/base/result.ts';
import { portsOf, type InstanceSpec } from '../../src/model/instance.ts';
import type { Backend, Clock, CommandRunner, PortAllocator, Probe, ProbeAnswer } from '../../src/ports.ts';
import type { Chance } from '../simulation/chance.ts';
import type { Life } from '../simulation/life.ts';
import type { Character } from './source-store.ts';

export interface Machine {
  /** Ports that are still named somewhere; the real allocator draws at random and so hardly ever meets one again. */
  avoid: () => readonly number[];
  readonly world: MemoryWorld;
  /** Handles of the runs that have ever answered 200. */
  readonly answered: ReadonlySet<string>;
  /** Handles of the runs that a daemon has begun to end. */
  readonly ending: ReadonlySet<string>;
  /** By port: the run that was last started on it. */
  readonly lastOn: ReadonlyMap<number, MemoryRun>;
  /** Told when a run has ended. */
  readonly ended: Set<(run: MemoryRun) => void>;
  /** How many of the next observations fail. */
  blind: number;
  running(): readonly MemoryRun[];
  /** It would answer 200 now. */
  healthy(run: MemoryRun): boolean;
  characterOf(run: MemoryRun): Character;
  /** Ends a run as by hand. */
  kill(run: MemoryRun): void;
  open(life: Life, watch: MachineWatch): Daemonside;
}

/** Who is told of what a daemon asks of the machine, before it is done. */
export interface MachineWatch {
  readonly applying: (spec: InstanceSpec) => void;
  readonly removing: (run: MemoryRun) => void;
}

export interface Daemonside {
  readonly backend: Backend;
  readonly probe: Probe;
  readonly ports: PortAllocator;
}

const BOOT_MS: Readonly<Record<Character, number>> = {
  good: 30,
  slow: 700,
  crashy: 30,
  unhealthy: Infinity,
  silent: Infinity,
  exits: Infinity,
  unstartable: Infinity,
  'bad-setup': Infinity,
};
const CRASHY_MS = 2500;
const FIRST_PORT = 20_000;

export function createMachine(parts: {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly characters: ReadonlyMap<string, Character>;
}): Machine {
  const { clock, chance, characters } = parts;
  const answered = new Set<string>();
  const ending = new Set<string>();
  const lastOn = new Map<number, MemoryRun>();
  const ended = new Set<(run: MemoryRun) => void>();
  const character = (commit: string): Character => characters.get(commit) ?? 'good';
  const world = createMemoryWorld({
    clock,
    owner: 'sim',
    faults: {
      behave: (spec) => {
        const kind = character(spec.commit);
        return {
          startMs: chance.whole(0, 20),
          stopMs: chance.pick([0, 0, 60, Infinity]),
          output: ['hello'],
          ...(kind === 'unstartable' ? { start: 'fail' as const } : {}),
          ...(kind === 'exits' ? { exitAfterMs: 40, exitCode: 1 } : {}),
          ...(kind === 'crashy' ? { exitAfterMs: CRASHY_MS, exitCode: 3 } : {}),
        };
      },
    },
  });
  const begin = world.begin.bind(world);
  const observed: MemoryWorld = Object.assign(world, {
    begin: (spec: InstanceSpec, behaviour: Parameters<MemoryWorld['begin']>[1]) => {
      const run = begin(spec, behaviour);
      for (const port of portsOf(spec)) lastOn.set(port, run);
      run.ended.signal.addEventListener('abort', () => ended.forEach((listener) => listener(run)));
      return run;
    },
  });
  const machine: Machine = {
    world: observed,
    answered,
    ending,
    lastOn,
    ended,
    avoid: () => [],
    blind: 0,
    running: () => [...world.runs.values()].filter((run) => run.exit === null),
    healthy: (run) => run.exit === null && clock.now() >= run.startedAt + BOOT_MS[character(run.spec.commit)],
    characterOf: (run) => character(run.spec.commit),
    kill: (run) => {
      // Whatever a daemon had begun to do about it before it died: this end is somebody else's.
      ending.delete(run.handle);
      world.kill(run.spec.id);
    },
    open: (life, watch) => ({
      backend: openBackend(machine, life, watch, ending),
      probe: openProbe(machine, life, answered),
      ports: openPorts(machine),
    }),
  };
  return machine;
}

function openBackend(machine: Machine, life: Life, watch: MachineWatch, ending: Set<string>): Backend {
  const { world } = machine;
  const backend = createMemoryBackend({ world: { ...world, clock: life.clock } });
  life.onDeath(() => void backend.close());
  return {
    ...backend,
    async observe() {
      await life.step('backend.observe');
      if (machine.blind > 0) {
        machine.blind -= 1;
        return err(failure('backend-unavailable', 'nothing can be seen', { retry: { kind: 'backoff' } }));
      }
      const seen = await backend.observe();
      await life.step('backend.observe reply');
      return seen;
    },
    async apply(spec, signal) {
      await life.step(`backend.apply ${spec.id}`);
      watch.applying(spec);
      const applied = await backend.apply(spec, signal);
      await life.step(`backend.apply ${spec.id} reply`);
      return applied;
    },
    async remove(id, graceMs) {
      await life.step(`backend.remove ${id}`);
      const run = world.runs.get(id);
      if (run !== undefined && run.exit === null) {
        watch.removing(run);
        ending.add(run.handle);
        life.onDeath(() => endAlone(machine, run));
      }
      const removed = await backend.remove(id, graceMs);
      await life.step(`backend.remove ${id} reply`);
      return removed;
    },
    subscribe(listener) {
      return backend.subscribe((event) => void life.step('backend event').then(() => listener(event)));
    },
  };
}

/** It has had its SIGTERM: it ends when it is ready to, also when nobody waits for that any more. */
function endAlone(machine: Machine, run: MemoryRun): void {
  const { world } = machine;
  const { stopMs = 0 } = run.behaviour;
  if (stopMs === Infinity) return;
  void world.clock.sleep(stopMs, run.ended.signal).then((passed) => {
    if (passed && world.runs.get(run.spec.id) === run)
      world.kill(run.spec.id, { code: null, signal: 'SIGTERM' });
  });
}

function openProbe(machine: Machine, life: Life, answered: Set<string>): Probe {
  return {
    async http({ port, timeoutMs }, signal) {
      await life.step('probe');
      const run = machine.running().find((one) => one.spec.port === port);
      if (run === undefined) return { kind: 'refused' };
      const answer = await answerOf(machine, run, life, { timeoutMs, signal });
      await life.step('probe reply');
      return answer;
    },
  };

  async function answerOf(
    machine: Machine,
    run: MemoryRun,
    { clock }: Life,
    limit: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<ProbeAnswer> {
    if (machine.healthy(run)) {
      answered.add(run.handle);
      return { kind: 'answered', status: 200 };
    }
    if (machine.characterOf(run) === 'unhealthy') return { kind: 'answered', status: 500 };
    if (machine.characterOf(run) !== 'silent') return { kind: 'refused' };
    await clock.sleep(limit.timeoutMs, AbortSignal.any([limit.signal, run.ended.signal]));
    return { kind: 'failed', reason: 'no answer in time' };
  }
}

/** The lowest port that nothing listens on: what was given back is soon given out again. */
function openPorts(machine: Machine): PortAllocator {
  const out = new Set([...machine.world.runs.values()].flatMap(({ spec }) => portsOf(spec)));
  return {
    allocate(count) {
      const ports: number[] = [];
      const listened = new Set([
        ...machine.avoid(),
        ...machine.running().flatMap(({ spec }) => portsOf(spec)),
      ]);
      for (let port = FIRST_PORT; ports.length < count; port++) {
        if (out.has(port) || listened.has(port)) continue;
        out.add(port);
        ports.push(port);
      }
      return Promise.resolve(ports);
    },
    release: (ports) => ports.forEach((port) => out.delete(port)),
  };
}

/** Runs `setup_command`: takes a while, and fails for the versions whose character says so. */
export function openCommands(
  characters: ReadonlyMap<string, Character>,
  folders: (app: string, slot: string) => string | null,
  life: Life,
): CommandRunner {
  return {
    async run({ app, slot }, signal) {
      await life.step('setup');
      await life.clock.sleep(50, signal);
      if (signal.aborted) return err(failure('aborted', 'setup_command was called off'));
      const commit = folders(app, slot) ?? '';
      if (characters.get(commit) === 'bad-setup') {
        return err(
          failure('setup-failed', 'setup_command exited with code 1', { details: { log_tail: ['no'] } }),
        );
      }
      await life.step('setup reply');
      return ok();
    },
  };
}
