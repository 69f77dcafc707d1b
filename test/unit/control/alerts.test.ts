/** A condition that has passed is told again when it comes back. */
import { expect, test } from 'vitest';
import * as people from '../../simulation/people.ts';
import { createWorld, type World } from '../../simulation/world.ts';

const LONG = 300_000;

async function begin(character: 'crashy' | 'unhealthy') {
  const alerts: string[] = [];
  const hear = (line: string): void => {
    const told = /\] (alert|alert-cleared) (.*)$/.exec(line);
    if (told !== null) alerts.push(`${told[1]}: ${told[2]?.split(/[ :]/)[0]}`);
  };
  const world: World = createWorld({ seed: 1, orderly: true, trace: hear, crashAt: () => false });
  const pass = (): Promise<void> => world.schedule.runUntil(world.schedule.now() + LONG, () => true);
  const api = { name: 'api', ref: people.newVersion(world, 'api', 'good'), port: 8002 };
  const web = { name: 'web', ref: people.newVersion(world, 'web', character), port: 8001 };
  people.commit(world, people.withApp(people.withApp(new Map(), api), web), 'first');
  await pass();
  return { world, alerts, pass, web };
}

test('an operator starts again what kept ending, and it keeps ending', async () => {
  const { world, alerts, pass } = await begin('crashy');
  expect(alerts).toEqual(['alert: crash-loop']);
  await world.daemon?.plane.restart('web', { name: 'someone', role: 'operator' });
  await pass();
  expect(alerts).toEqual(['alert: crash-loop', 'alert-cleared: crash-loop', 'alert: crash-loop']);
  world.end();
});

test('an app that could not be deployed is removed, and comes back as it was', async () => {
  const { world, alerts, pass, web } = await begin('unhealthy');
  expect(alerts).toEqual(['alert: health-timeout']);
  people.push(world, people.withoutApp(people.headFiles(world), 'web'), 'remove');
  await pass();
  people.push(world, people.withApp(people.headFiles(world), web), 'again');
  await pass();
  expect(alerts).toEqual(['alert: health-timeout', 'alert-cleared: health-timeout', 'alert: health-timeout']);
  world.end();
});
