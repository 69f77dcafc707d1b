import { expect, it } from 'vitest';
import { createMemoryBackend } from '../../../backends/memory/backend.ts';
import { createMemoryWorld } from '../../../backends/memory/world.ts';
import type { MemoryFaults, MemoryWorld } from '../../../backends/memory/world.ts';
import type { InstanceSpec } from '../../../src/model/instance.ts';
import type { Clock } from '../../../src/ports.ts';
import { codeOf, readLines, valueOf } from '../../conformance/expectations.ts';

const never = new AbortController().signal;
const web: InstanceSpec = {
  id: 'web@slot-0000000a.1',
  app: 'web',
  slot: 'slot-0000000a',
  digest: 'a digest',
  commit: 'a commit',
  dir: '/nowhere',
  command: 'anything',
  env: {},
  port: 4000,
  internalPort: null,
};

interface HandClock extends Clock {
  /** Lets this much time pass, waking sleepers in order. */
  readonly pass: (ms: number) => Promise<void>;
}

function handClock(): HandClock {
  let now = 1_000;
  const sleepers = new Set<{ readonly at: number; readonly wake: (passed: boolean) => void }>();
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve(false);
        const sleeper = {
          at: now + ms,
          wake: (passed: boolean) => {
            sleepers.delete(sleeper);
            resolve(passed);
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => sleeper.wake(false), { once: true });
      }),
    async pass(ms) {
      const end = now + ms;
      for (;;) {
        await settle();
        const [first] = [...sleepers].filter((one) => one.at <= end).toSorted((a, b) => a.at - b.at);
        if (first === undefined) break;
        now = Math.max(now, first.at);
        first.wake(true);
      }
      now = end;
    },
  };
}

function setUp(faults: MemoryFaults = {}): { clock: HandClock; world: MemoryWorld } {
  const clock = handClock();
  return { clock, world: createMemoryWorld({ clock, faults }) };
}

it('ends an instance on the clock', async () => {
  const { clock, world } = setUp({ behave: () => ({ exitAfterMs: 5_000, exitCode: 7 }) });
  const backend = createMemoryBackend({ world });
  valueOf(await backend.apply(web, never));
  await clock.pass(4_999);
  expect(world.list()[0]?.state).toBe('running');
  await clock.pass(1);
  expect(world.list()[0]).toMatchObject({ state: 'exited', exit: { at: 6_000, code: 7, signal: null } });
});

it('fails the starts that the script names, and no other', async () => {
  const { world } = setUp({ behave: (_spec, _environment, n) => (n === 2 ? { start: 'fail' } : {}) });
  const backend = createMemoryBackend({ world });
  for (const expected of ['ok', 'start-failed', 'ok']) {
    expect(codeOf(await backend.apply(web, never))).toBe(expected);
    world.kill(web.id);
  }
  expect(world.starts(web.id)).toBe(2);
});

it('hangs in a start until it is aborted, removed or closed', async () => {
  const { clock, world } = setUp({ behave: () => ({ start: 'hang' }) });
  const backend = createMemoryBackend({ world });
  const stop = new AbortController();
  const first = backend.apply(web, stop.signal);
  await clock.pass(60_000);
  stop.abort();
  expect(codeOf(await first)).toBe('aborted');

  const second = backend.apply(web, never);
  await clock.pass(1);
  expect(valueOf(await backend.remove(web.id, 1_000))).toBe('absent');
  expect(codeOf(await second)).toBe('aborted');

  const third = backend.apply(web, never);
  await clock.pass(1);
  await backend.close();
  expect(codeOf(await third)).toBe('aborted');
  expect(world.list()).toEqual([]);
});

it('takes as long to end as the script says, within the limit', async () => {
  const { clock, world } = setUp({ behave: () => ({ stopMs: 3_000 }) });
  const backend = createMemoryBackend({ world });
  for (const [graceMs, expected] of [
    [10_000, 3_000],
    [2_000, 2_000],
    [0, 0],
  ] as const) {
    valueOf(await backend.apply(web, never));
    const began = clock.now();
    let endedAt = -1;
    const removal = backend.remove(web.id, graceMs).then(() => (endedAt = clock.now()));
    for (let i = 0; i < 40 && endedAt < 0; i++) await clock.pass(100);
    await removal;
    expect(Math.abs(endedAt - began - expected)).toBeLessThanOrEqual(100);
  }
});

it('fails observations and removals that the script names', async () => {
  const { world } = setUp({
    observe: (n) => (n === 1 ? 'not now' : null),
    remove: (_id, n) => (n === 1 ? 'stuck' : null),
  });
  const backend = createMemoryBackend({ world });
  valueOf(await backend.apply(web, never));
  expect(codeOf(await backend.observe())).toBe('backend-unavailable');
  expect(codeOf(await backend.observe())).toBe('ok');
  expect(codeOf(await backend.remove(web.id, 0))).toBe('stop-failed');
  expect(world.list()).toHaveLength(1);
  expect(valueOf(await backend.remove(web.id, 0))).toBe('deleted');
});

it('keeps the world when a backend is thrown away in the middle of a removal', async () => {
  const { clock, world } = setUp({ behave: () => ({ stopMs: Infinity }) });
  const first = createMemoryBackend({ world });
  valueOf(await first.apply(web, never));
  const lost = first.remove(web.id, 60_000);
  await clock.pass(10);
  await first.close();
  const second = createMemoryBackend({ world });
  expect(valueOf(await second.observe())).toMatchObject([{ id: web.id, state: 'running' }]);
  expect(valueOf(await second.remove(web.id, 0))).toBe('deleted');
  // The forgotten removal finds its instance gone instead of waiting for ever.
  expect(valueOf(await lost)).toBe('deleted');
});

it('keeps the newest lines of a log only', async () => {
  const { world } = setUp();
  const backend = createMemoryBackend({ world });
  valueOf(await backend.apply(web, never));
  for (let i = 1; i <= 1_200; i++) world.write(web.id, `line ${i}`);
  const lines = await readLines(backend, web.id);
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([1_000, 'line 201', 'line 1200']);
});
