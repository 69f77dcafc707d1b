/** A disk that takes no writes: holds and values stay in force, and reach the store as soon as it takes writes again. */
import { expect, test } from 'vitest';
import { steadyStore } from '../../../src/control/steady-store.ts';
import type { Hold } from '../../../src/model/hold.ts';
import type { Log, Store } from '../../../src/ports.ts';

const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

function hold(unit: string): Hold {
  return {
    unit,
    kind: 'version',
    digest: 'd',
    intent: 'c',
    code: 'health-timeout',
    reason: 'r',
    at: 1,
    retryAt: null,
    failures: 1,
  };
}

function disk() {
  const holds = new Map<string, Hold>();
  const values = new Map<string, string>();
  const state = { full: false };
  const write = (change: () => void): void => {
    if (state.full) throw new Error('database or disk is full');
    change();
  };
  const store = {
    holds: {
      all: () => [...holds.values()],
      put: (one: Hold) => write(() => holds.set(`${one.kind} ${one.unit}`, one)),
      delete: (unit: string, kind: string) => write(() => holds.delete(`${kind} ${unit}`)),
    },
    values: {
      get: (key: string) => values.get(key) ?? null,
      put: (key: string, value: string | null) =>
        write(() => (value === null ? values.delete(key) : values.set(key, value))),
    },
  } as unknown as Store;
  return { state, values, holds, steady: steadyStore(store, quiet) };
}

test('what cannot be written is in force at once, and says so', () => {
  const { state, steady, values } = disk();
  state.full = true;

  steady.values.put('alert', 'raised');
  steady.holds.put(hold('web'));

  expect(steady.values.get('alert')).toBe('raised');
  expect(steady.holds.all()).toEqual([hold('web')]);
  expect(steady.failing()).toContain('full');
  expect(values.size).toBe(0);
});

test('a deletion that cannot be written hides what is stored', () => {
  const { state, steady, holds } = disk();
  steady.holds.put(hold('web'));
  steady.values.put('k', 'v');
  state.full = true;

  steady.holds.delete('web', 'version');
  steady.values.put('k', null);

  expect(steady.holds.all()).toEqual([]);
  expect(steady.values.get('k')).toBeNull();
  expect(holds.size).toBe(1);
});

test('the next write that succeeds takes everything that waits with it', () => {
  const { state, steady, holds, values } = disk();
  state.full = true;
  steady.values.put('a', '1');
  steady.values.put('a', '2');
  steady.holds.put(hold('web'));
  state.full = false;

  steady.values.put('b', '3');

  expect([...values]).toEqual([
    ['a', '2'],
    ['b', '3'],
  ]);
  expect(holds.size).toBe(1);
  expect(steady.failing()).toBeNull();
});
