/** What fails in a way that nobody foresaw is tried again, but sparingly. */
import { expect, test } from 'vitest';
import * as people from '../../simulation/people.ts';
import { createWorld, type World } from '../../simulation/world.ts';

const MINUTE = 60_000;

/** How often the app's restart or stop was begun in the first minute after `breaks`. */
async function attempts(breaks: (world: World) => void): Promise<number> {
  const lines: string[] = [];
  const world = createWorld({
    seed: 1,
    orderly: true,
    trace: (line) => lines.push(line),
    crashAt: () => false,
  });
  const pass = (ms: number): Promise<void> => world.schedule.runUntil(world.schedule.now() + ms, () => true);
  const app = (name: string, port: number) => ({ name, ref: people.newVersion(world, name, 'good'), port });
  const files = people.withApp(people.withApp(new Map(), app('web', 8001)), app('api', 8002));
  people.commit(world, files, 'first');
  await pass(3000);
  breaks(world);
  const from = lines.length;
  await pass(MINUTE);
  world.end();
  return lines.slice(from).filter((line) => /action-started web: (?:restart|stop)/.test(line)).length;
}

const fails = (message: string) => (): never => {
  throw new Error(message);
};

test('a stop whose folders cannot be removed', async () => {
  const begun = await attempts((world) => {
    const folders = world.folders.apps.get('web');
    if (folders === undefined) throw new Error('web has no folders');
    const record = folders.record;
    Object.defineProperty(folders, 'record', { get: () => record, set: fails('permission denied') });
    people.push(world, people.withoutApp(people.headFiles(world), 'web'), 'remove');
  });
  expect(begun).toBeGreaterThan(1);
  expect(begun).toBeLessThan(10);
});

test('a restart whose slot cannot be looked at', async () => {
  const begun = await attempts((world) => {
    Object.defineProperty(world.folders.damaged, 'has', { value: fails('input/output error') });
    const run = world.machine.running().find(({ spec }) => spec.app === 'web');
    if (run === undefined) throw new Error('web does not run');
    world.machine.kill(run);
  });
  expect(begun).toBeGreaterThan(1);
  expect(begun).toBeLessThan(10);
});
