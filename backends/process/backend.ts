/**
 * The process backend: instances are plain processes of this machine, each the leader of a group of its own. They outlive
 * the daemon and are adopted by the next one. What should run is not decided here.
 */
import { join } from 'node:path';
import { createTurns } from '../../src/adapters/system/turns.ts';
import { err, failure, ok } from '../../src/base/result.ts';
import type { Result } from '../../src/base/result.ts';
import type { Backend } from '../../src/ports.ts';
import { createLogFolder } from './log-file.ts';
import { readLog } from './log-reader.ts';
import { LOG_LIMITS, POLL_MS, ROTATE_MS } from './options.ts';
import type { ProcessBackendOptions } from './options.ts';
import { createRecordFolder, observed } from './record.ts';
import { createRoster } from './roster.ts';
import type { Roster } from './roster.ts';
import { ensureStarted } from './start.ts';
import type { StartTools } from './start.ts';
import { createWatch } from './watch.ts';

/**
 * A backend on `dataDir`; one at a time for each owner. Looks at what runs when it is first asked something. Failures:
 * `start-failed` (with `details.log_tail`), `aborted`, `stop-failed`, `backend-unavailable`.
 */
export function createProcessBackend(options: ProcessBackendOptions): Backend {
  const { clock } = options;
  const closing = new AbortController();
  const turns = createTurns();
  const records = createRecordFolder(join(options.dataDir, 'run', 'instances'));
  const logs = createLogFolder(options.dataDir, { ...LOG_LIMITS, ...options.logLimits });
  const roster = createRoster({
    ...options,
    records,
    turns,
    signal: closing.signal,
    wake: () => watch.wake(),
  });
  const watch = createWatch({
    ...options,
    logs,
    running: () => roster.running(),
    gone: (instance) => roster.exited(instance, { at: clock.now(), code: null, signal: null }),
    pollMs: POLL_MS,
    rotateMs: options.rotateMs ?? ROTATE_MS,
    signal: closing.signal,
  });
  let calls = 0;
  const start: StartTools = { options, roster, records, logs, next: () => ++calls };

  return {
    name: 'process',
    async observe() {
      const opened = await roster.open();
      if (!opened.ok) return opened;
      await roster.refresh();
      return ok(roster.all().map((one) => observed(one.record)));
    },
    async apply(spec, signal) {
      const asked = ++calls;
      const opened = await roster.open();
      if (!opened.ok) return opened;
      return turns.take(spec.id, () => guarded(() => ensureStarted(spec, asked, signal, start)));
    },
    async remove(id, graceMs) {
      const deadline = clock.now() + graceMs;
      const opened = await roster.open();
      if (!opened.ok) return opened;
      const ending = roster.get(id)?.ending ?? null;
      if (ending !== null) ending.deadline = Math.min(ending.deadline, deadline);
      return turns.take(id, () => guarded(() => removeOne(roster, id, deadline)));
    },
    async *logs(id, query, signal) {
      await roster.open();
      const ended = AbortSignal.any([signal, closing.signal]);
      const goesOn = (): boolean => roster.get(id)?.record.exit === null;
      yield* readLog({ id, folder: logs, clock, goesOn }, query, ended);
    },
    subscribe(listener) {
      roster.listeners.add(listener);
      return () => void roster.listeners.delete(listener);
    },
    async close() {
      closing.abort();
      await roster.settled();
    },
  };
}

async function removeOne(
  roster: Roster,
  id: string,
  deadline: number,
): Promise<Result<'deleted' | 'absent'>> {
  const instance = roster.get(id);
  if (instance === undefined) return ok('absent');
  const ended = await roster.end(instance, deadline);
  return ended.ok ? ok('deleted') : ended;
}

/** A full disk or a folder that cannot be written is expected here: it comes back as a failure to try again after. */
async function guarded<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await work();
  } catch (error) {
    const message = `the process backend cannot use its data folder: ${String(error)}; check space and permissions`;
    return err(failure('backend-unavailable', message, { retry: { kind: 'backoff' } }));
  }
}
