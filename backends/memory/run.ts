/** Starts and ends one run in the memory world, with the delays and faults of its script. */
import { err, failure, ok } from '../../src/base/result.ts';
import type { Result } from '../../src/base/result.ts';
import type { InstanceSpec, ObservedInstance } from '../../src/model/instance.ts';
import { observedRun } from './world.ts';
import type { MemoryRun, MemoryWorld } from './world.ts';

/** What one backend is in the middle of; gone with it, unlike the world. */
export interface MemoryState {
  readonly world: MemoryWorld;
  readonly closed: AbortSignal;
  /** By instance id: calls off the start that is under way. */
  readonly starting: Map<string, AbortController>;
  /** `moved` is aborted to say that the deadline has changed. */
  readonly ending: Map<MemoryRun, { deadline: number; moved: AbortController }>;
}

const REPLACE_GRACE_MS = 5_000;
const TAIL_LINES = 50;

/** Makes `spec` run. `asked` is the number of the call: a start that came after it answers it too. */
export async function startRun(
  spec: InstanceSpec,
  asked: number,
  signal: AbortSignal,
  state: MemoryState,
): Promise<Result<ObservedInstance>> {
  const { world } = state;
  const there = world.runs.get(spec.id);
  if (there !== undefined) {
    const same = there.spec.digest === spec.digest;
    if (same && (there.exit === null || there.startedSeq > asked)) return ok(observedRun(there));
    if (signal.aborted) return aborted(spec.id);
    await endRun(there, world.clock.now() + REPLACE_GRACE_MS, state);
  }
  const environment = { ...spec.env, MAINSTAY_OWNER: world.owner, MAINSTAY_INSTANCE_ID: spec.id };
  const behaviour = world.faults.behave?.(spec, environment, world.attempt(spec.id)) ?? {};
  const calledOff = new AbortController();
  state.starting.set(spec.id, calledOff);
  try {
    const either = AbortSignal.any([signal, calledOff.signal, state.closed]);
    if (behaviour.startMs !== undefined) await world.clock.sleep(behaviour.startMs, either);
    if (behaviour.start === 'hang') await untilAborted(either);
    if (either.aborted) return aborted(spec.id);
  } finally {
    state.starting.delete(spec.id);
  }
  if (behaviour.start === 'fail') return startFailed(world, spec);
  return ok(observedRun(world.begin(spec, behaviour)));
}

/** SIGTERM now, SIGKILL at the deadline, which a later removal may bring forward; then forgets the run. */
export async function endRun(run: MemoryRun, deadline: number, state: MemoryState): Promise<void> {
  const { world } = state;
  const { id } = run.spec;
  const mine = { deadline, moved: new AbortController() };
  state.ending.set(run, mine);
  const stopsAt = world.clock.now() + (run.behaviour.stopMs ?? 0);
  while (run.exit === null && world.runs.get(id) === run) {
    const now = world.clock.now();
    if (now >= mine.deadline) world.kill(id);
    else if (now >= stopsAt) world.kill(id, { code: null, signal: 'SIGTERM' });
    else {
      mine.moved = new AbortController();
      const woken = AbortSignal.any([mine.moved.signal, run.ended.signal]);
      await world.clock.sleep(Math.min(mine.deadline, stopsAt) - now, woken);
    }
  }
  state.ending.delete(run);
  if (world.runs.get(id) === run) world.runs.delete(id);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function aborted(id: string): Result<never> {
  return err(failure('aborted', `the start of ${id} was called off before it began`));
}

function startFailed(world: MemoryWorld, spec: InstanceSpec): Result<never> {
  const message = `${spec.app} could not be started: the script says so`;
  world.write(spec.id, `mainstay: ${message}`);
  const details = { log_tail: world.lines(spec.id).kept.slice(-TAIL_LINES) };
  return err(failure('start-failed', message, { details }));
}
