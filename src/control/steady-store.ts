/**
 * Holds and small values stay in force while the disk takes no writes: what could not be written is kept in memory,
 * goes before what is stored, and is written as soon as a later write succeeds. Commit records are not covered: nobody
 * may hear of a verdict that is not durable.
 */
import { messageOf } from '../base/thrown.ts';
import type { Hold, HoldKind } from '../model/hold.ts';
import type { HoldTable, Log, Store, ValueTable } from '../ports.ts';

export interface SteadyStore extends Store {
  /** Why writes fail at the moment; null when none is waiting. */
  failing(): string | null;
}

export function steadyStore(store: Store, log: Log): SteadyStore {
  const waiting = new Map<string, () => void>();
  let reason: string | null = null;

  /** Tries this write, and those that wait. */
  function attempt(key: string, write: () => void): void {
    waiting.set(key, write);
    try {
      for (const [name, due] of waiting) {
        due();
        waiting.delete(name);
      }
      reason = null;
    } catch (error) {
      const message = messageOf(error);
      if (reason === null) log.error('the store takes no writes; going on from memory', { reason: message });
      reason = message;
    }
  }

  return {
    commits: store.commits,
    holds: steadyHolds(store.holds, attempt),
    values: steadyValues(store.values, attempt),
    close: () => store.close(),
    failing: () => reason,
  };
}

type Attempt = (key: string, write: () => void) => void;

function steadyHolds(table: HoldTable, attempt: Attempt): HoldTable {
  /** Null: deleted, but still in the table. */
  const unsaved = new Map<string, Hold | null>();
  const keyOf = (unit: string, kind: HoldKind): string => `hold ${kind} ${unit}`;
  const change = (unit: string, kind: HoldKind, hold: Hold | null): void => {
    const key = keyOf(unit, kind);
    unsaved.set(key, hold);
    attempt(key, () => {
      if (hold === null) table.delete(unit, kind);
      else table.put(hold);
      unsaved.delete(key);
    });
  };
  return {
    all() {
      if (unsaved.size === 0) return table.all();
      const stored = table.all().filter((hold) => !unsaved.has(keyOf(hold.unit, hold.kind)));
      return [...stored, ...[...unsaved.values()].filter((hold) => hold !== null)];
    },
    put: (hold) => change(hold.unit, hold.kind, hold),
    delete: (unit, kind) => change(unit, kind, null),
  };
}

function steadyValues(table: ValueTable, attempt: Attempt): ValueTable {
  const unsaved = new Map<string, string | null>();
  return {
    get(key) {
      const kept = unsaved.get(key);
      return kept === undefined ? table.get(key) : kept;
    },
    put(key, value) {
      unsaved.set(key, value);
      attempt(`value ${key}`, () => {
        table.put(key, value);
        unsaved.delete(key);
      });
    },
  };
}
