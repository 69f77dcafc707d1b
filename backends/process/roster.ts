/**
 * The roster: every instance of this owner, in memory and as records on disk, and what is done when one ends. It says
 * what is; starting and removing are in start.ts and backend.ts.
 */
import type { Turns } from '../../src/adapters/system/turns.ts';
import { err, failure, ok } from '../../src/base/result.ts';
import type { Failure, Result } from '../../src/base/result.ts';
import type { InstanceExit } from '../../src/model/instance.ts';
import type { BackendEvent } from '../../src/ports.ts';
import { adoptInstances, endRemainder } from './adopt.ts';
import type { AdoptTools } from './adopt.ts';
import { endGroup, isAlive } from './group.ts';
import type { Instance } from './instance.ts';

export interface Roster {
  /** Reads the records and adopts what runs; once, and again after a failure. Everything else comes after it. */
  open(): Promise<Result<void>>;
  get(id: string): Instance | undefined;
  all(): readonly Instance[];
  running(): readonly Instance[];
  add(instance: Instance): void;
  /** Notes the end of an instance: at once in memory and to listeners, then on disk; ends what is left of its group. */
  exited(instance: Instance, exit: InstanceExit): void;
  /** Looks up the adopted instances now instead of at the next poll. */
  refresh(): Promise<void>;
  /** Ends all its processes, by force from `deadline` on, and forgets it. Call in the id's turn. `stop-failed` when something survives SIGKILL. */
  end(instance: Instance, deadline: number): Promise<Result<void>>;
  /** Resolves when no record is being written by itself; starts and removals are waited for by whoever called them. */
  settled(): Promise<void>;
  /** Told of every exit at once. */
  readonly listeners: Set<(event: BackendEvent) => void>;
}

export interface RosterOptions extends AdoptTools {
  readonly turns: Turns;
  /** Something runs that has to be watched. */
  readonly wake: () => void;
  /** Aborted by close: nothing is noted or ended by itself any more. */
  readonly signal: AbortSignal;
}

export function createRoster(options: RosterOptions): Roster {
  const { clock, processes, records, log, turns, signal } = options;
  const instances = new Map<string, Instance>();
  const listeners = new Set<(event: BackendEvent) => void>();
  const writing = new Set<Promise<void>>();
  let opening: Promise<Result<void>> | null = null;

  async function adopt(): Promise<Result<void>> {
    try {
      for (const record of await adoptInstances(options)) {
        instances.set(record.id, { record, child: false, ending: null, startedSeq: 0 });
      }
      options.wake();
      return ok();
    } catch (error) {
      opening = null;
      const message = `the records of running instances cannot be read: ${String(error)}; check the data folder`;
      return err(failure('backend-unavailable', message, { retry: { kind: 'backoff' } }));
    }
  }

  /** An instance that is being removed has its group ended by that, within its own limit. */
  async function tidy(instance: Instance): Promise<void> {
    const { id } = instance.record;
    if (instance.ending === null) await endRemainder(instance.record, instance.child, options);
    await turns.take(id, async () => {
      if (instances.get(id) !== instance || signal.aborted) return;
      const written = records.write(instance.record);
      writing.add(written);
      await written.finally(() => writing.delete(written));
    });
  }

  const roster: Roster = {
    open: () => (opening ??= adopt()),
    get: (id) => instances.get(id),
    all: () => [...instances.values()],
    running: () => [...instances.values()].filter((one) => one.record.exit === null),
    add(instance) {
      instances.set(instance.record.id, instance);
      if (instance.record.exit === null) options.wake();
    },
    exited(instance, exit) {
      if (signal.aborted || instance.record.exit !== null) return;
      instance.record = { ...instance.record, exit };
      if (instances.get(instance.record.id) !== instance) return;
      for (const listener of listeners) listener({ type: 'exited', instance: instance.record.id });
      tidy(instance).catch((error: unknown) => {
        log.error('end of an instance was not recorded', {
          instance: instance.record.id,
          error: String(error),
        });
      });
    },
    async refresh() {
      for (const one of roster.running()) {
        const { pid, startTime } = one.record;
        if (one.child || pid === null || (await isAlive(pid, startTime, processes))) continue;
        roster.exited(one, { at: clock.now(), code: null, signal: null });
      }
    },
    async end(instance, deadline) {
      const { id, pid, startTime } = instance.record;
      instance.ending = { deadline };
      const gone =
        pid === null || (await endGroup({ id, pid, startTime, justExited: false }, instance.ending, options));
      instance.ending = null;
      if (!gone) return err(stuck(id, pid));
      instances.delete(id);
      await records.delete(id);
      return ok();
    },
    listeners,
    async settled() {
      await Promise.allSettled(writing);
    },
  };
  return roster;
}

function stuck(id: string, group: number | null): Failure {
  const message = `${id} (process group ${group}) is still there after SIGKILL; see what it waits for, and end it by hand`;
  return failure('stop-failed', message, { retry: { kind: 'backoff' } });
}
