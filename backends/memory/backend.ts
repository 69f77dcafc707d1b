/**
 * The memory backend: the reference for what a backend does, on a world that is plain data. The simulator and the tests
 * of the control loop run on it; it passes the same conformance suite as the real ones.
 */
import { createTurns } from '../../src/adapters/system/turns.ts';
import { err, failure, ok } from '../../src/base/result.ts';
import type { Backend, BackendEvent } from '../../src/ports.ts';
import { readMemoryLog } from './log.ts';
import { endRun, startRun } from './run.ts';
import type { MemoryState } from './run.ts';
import type { MemoryWorld } from './world.ts';

/** Failures as of the process backend: `start-failed`, `aborted`, `stop-failed`, `backend-unavailable`. */
export function createMemoryBackend(options: { readonly world: MemoryWorld }): Backend {
  const { world } = options;
  const turns = createTurns();
  const closing = new AbortController();
  const state: MemoryState = { world, closed: closing.signal, starting: new Map(), ending: new Map() };
  const listeners = new Set<(event: BackendEvent) => void>();
  let observations = 0;
  let removals = 0;

  const onExit = (instance: string): void => {
    for (const listener of listeners) listener({ type: 'exited', instance });
  };
  world.exitListeners.add(onExit);

  return {
    name: 'memory',
    observe() {
      const problem = world.faults.observe?.(++observations) ?? null;
      if (problem === null) return Promise.resolve(ok(world.list()));
      return Promise.resolve(err(failure('backend-unavailable', problem, { retry: { kind: 'backoff' } })));
    },
    apply(spec, signal) {
      const asked = world.next();
      return turns.take(spec.id, () => startRun(spec, asked, signal, state));
    },
    remove(id, graceMs) {
      const deadline = world.clock.now() + graceMs;
      const run = world.runs.get(id);
      const current = run === undefined ? undefined : state.ending.get(run);
      if (current !== undefined && deadline < current.deadline) {
        current.deadline = deadline;
        current.moved.abort();
      }
      state.starting.get(id)?.abort();
      return turns.take(id, async () => {
        const there = world.runs.get(id);
        if (there === undefined) return ok('absent');
        const problem = world.faults.remove?.(id, ++removals) ?? null;
        if (problem !== null) return err(failure('stop-failed', problem, { retry: { kind: 'backoff' } }));
        await endRun(there, deadline, state);
        return ok('deleted');
      });
    },
    logs: (id, query, signal) => readMemoryLog(world, id, query, AbortSignal.any([signal, closing.signal])),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      closing.abort();
      world.exitListeners.delete(onExit);
      return Promise.resolve();
    },
  };
}
