/** A process that outlives SIGKILL: what it was is said once, and nothing is taken for gone that is not. */
import { expect, test } from 'vitest';
import { err, failure } from '../../../src/base/result.ts';
import * as people from '../../simulation/people.ts';
import { createWorld, type World } from '../../simulation/world.ts';

interface Told {
  readonly exits: number;
  readonly retired: number;
  readonly warnings: number;
  readonly holds: number;
}

/** The only run of an app cannot be ended from when `happens` is called; what a minute after that brings. */
async function aMinuteOf(happens: (world: World) => void): Promise<Told> {
  const lines: string[] = [];
  const world = createWorld({
    seed: 1,
    orderly: true,
    trace: (line) => lines.push(line),
    crashAt: () => false,
  });
  let stuck: string | null = null;
  const open = world.machine.open.bind(world.machine);
  world.machine.open = (life, watch) => {
    const opened = open(life, watch);
    const remove: typeof opened.backend.remove = async (id, graceMs) => {
      if (id !== stuck) return opened.backend.remove(id, graceMs);
      await life.clock.sleep(5000);
      return err(failure('stop-failed', `${id} is still there`, { retry: { kind: 'backoff' } }));
    };
    return { ...opened, backend: { ...opened.backend, remove } };
  };
  const pass = (ms: number): Promise<void> => world.schedule.runUntil(world.schedule.now() + ms, () => true);
  const ref = people.newVersion(world, 'web', 'good');
  people.commit(world, people.withApp(new Map(), { name: 'web', ref, port: 8001 }), 'first');
  await pass(1500);
  stuck = world.machine.running()[0]?.spec.id ?? null;
  const from = lines.length;
  happens(world);
  await pass(60_000);
  world.end();
  const count = (what: RegExp): number => lines.slice(from).filter((line) => what.test(line)).length;
  return {
    exits: count(/\] instance-exited /),
    retired: count(/\] instance-retired /),
    warnings: count(/\] warn: a run could not be ended/),
    holds: world.tables.holds.size,
  };
}

test('one that has ended, and leaves something behind, ended once', async () => {
  expect(await aMinuteOf(people.kill)).toEqual({ exits: 1, retired: 0, warnings: 1, holds: 0 });
});

test('one that gave way to another version is not said to have ended', async () => {
  const told = await aMinuteOf((world) => {
    const ref = people.newVersion(world, 'web', 'good');
    people.push(world, people.withKey(people.headFiles(world), 'web', 'ref', JSON.stringify(ref)), 'next');
  });
  expect(told).toEqual({ exits: 0, retired: 0, warnings: 1, holds: 0 });
});
