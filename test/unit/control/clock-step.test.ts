/** A clock that is set back while an old version drains gives it no more time than was declared. */
import { expect, test } from 'vitest';
import type { Clock } from '../../../src/ports.ts';
import * as people from '../../simulation/people.ts';
import { createWorld } from '../../simulation/world.ts';

const HOUR = 3_600_000;
const DRAIN_MS = 5000;

test('the grace of a process that leaves', async () => {
  let back = 0;
  const graces: number[] = [];
  const hear = (line: string): void => {
    if (/\d proxy\.drain/.test(line)) back = HOUR;
  };
  const world = createWorld({ seed: 1, orderly: true, trace: hear, crashAt: () => false });
  const open = world.machine.open.bind(world.machine);
  world.machine.open = (life, watch) => {
    const opened = open(life, watch);
    const clock: { now: Clock['now'] } = life.clock;
    clock.now = () => world.schedule.now() - back;
    const remove: typeof opened.backend.remove = (id, graceMs) => {
      graces.push(graceMs);
      return opened.backend.remove(id, graceMs);
    };
    return { ...opened, backend: { ...opened.backend, remove } };
  };
  const pass = (ms: number): Promise<void> => world.schedule.runUntil(world.schedule.now() + ms, () => true);
  const ref = people.newVersion(world, 'web', 'good');
  people.commit(world, people.withApp(new Map(), { name: 'web', ref, port: 8001 }), 'first');
  await pass(1500);
  const next = people.newVersion(world, 'web', 'good');
  people.push(world, people.withKey(people.headFiles(world), 'web', 'ref', JSON.stringify(next)), 'next');
  await pass(10_000);
  world.end();
  expect(back).toBe(HOUR);
  expect(graces).toHaveLength(1);
  expect(Math.max(...graces)).toBeLessThanOrEqual(DRAIN_MS);
});
