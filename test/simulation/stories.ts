/** Short stories in plain order, for dying at every one of their steps. Each begins with a name that says what happens. */
import type { AppText } from './intent.ts';
import { repoOf } from './intent.ts';
import * as people from './people.ts';
import type { World } from './world.ts';

export type Story = (world: World) => Promise<void>;

/** Time for a quick deploy, drain included. */
const A_WHILE = 1500;

function app(world: World, name: string, more: Partial<AppText> = {}): AppText {
  return { name, ref: people.newVersion(world, name, 'good'), port: name === 'web' ? 8001 : 8002, ...more };
}

/** One app that serves, with a request on its way. */
async function serving(world: World, more: Partial<AppText> = {}): Promise<AppText> {
  const web = app(world, 'web', more);
  people.commit(world, people.withApp(new Map(), web), 'first');
  await world.pass(A_WHILE);
  world.plane.request('web', 400);
  return web;
}

function pushVersion(world: World, character: Parameters<typeof people.newVersion>[2]): void {
  const ref = people.newVersion(world, 'web', character);
  people.push(world, people.withKey(people.headFiles(world), 'web', 'ref', JSON.stringify(ref)), character);
}

export const STORIES: Readonly<Record<string, Story>> = {
  'a first deploy': async (world) => {
    people.commit(world, people.withApp(new Map(), app(world, 'web', { setup: true })), 'first');
    await world.pass(A_WHILE);
  },
  'a better version takes over': async (world) => {
    await serving(world);
    pushVersion(world, 'good');
    await world.pass(A_WHILE);
  },
  'a version that is never healthy': async (world) => {
    await serving(world);
    pushVersion(world, 'silent');
    await world.pass(3000);
  },
  'a version that ends at once': async (world) => {
    await serving(world, { replicas: 2 });
    pushVersion(world, 'exits');
    await world.pass(A_WHILE);
  },
  'back to the former version': async (world) => {
    const web = await serving(world);
    pushVersion(world, 'good');
    await world.pass(A_WHILE);
    world.plane.request('web', 400);
    people.push(world, people.withApp(people.headFiles(world), web), 'revert');
    await world.pass(A_WHILE);
  },
  'back to a version that was kept warm': async (world) => {
    const web = await serving(world, { warm: true });
    pushVersion(world, 'good');
    await world.pass(A_WHILE);
    world.plane.request('web', 400);
    people.push(world, people.withApp(people.headFiles(world), web), 'revert');
    await world.pass(A_WHILE);
    pushVersion(world, 'good');
    await world.pass(A_WHILE);
  },
  'removed from intent': async (world) => {
    await serving(world);
    people.push(
      world,
      people.withApp(people.withoutApp(people.headFiles(world), 'web'), app(world, 'api')),
      'remove',
    );
    await world.pass(A_WHILE);
  },
  'a process is killed by hand': async (world) => {
    await serving(world);
    people.kill(world);
    await world.pass(3000);
  },
  'a version that keeps ending': async (world) => {
    await serving(world, { onFailure: 'replace' });
    pushVersion(world, 'crashy');
    await world.pass(9000);
  },
  'a newer push while the older is on its way': async (world) => {
    await serving(world);
    pushVersion(world, 'slow');
    await world.pass(300);
    pushVersion(world, 'good');
    await world.pass(A_WHILE);
  },
  'suspended on the way, and resumed': async (world) => {
    await serving(world);
    pushVersion(world, 'slow');
    await world.pass(300);
    people.suspend(world, 'web', true);
    await world.pass(A_WHILE);
    people.suspend(world, 'web', false);
    await world.pass(A_WHILE);
  },
  'an imperative deploy of a bad version': async (world) => {
    await serving(world);
    people.deploy(world, 'web', people.newVersion(world, 'web', 'unhealthy'));
    await world.pass(4000);
  },
  'an imperative rollback': async (world) => {
    await serving(world);
    pushVersion(world, 'good');
    await world.pass(A_WHILE);
    people.rollBack(world, 'web');
    await world.pass(A_WHILE);
  },
  'one app after another, two processes each': async (world) => {
    const api = app(world, 'api', { replicas: 2 });
    const web = app(world, 'web', { replicas: 2, after: ['api'] });
    people.commit(world, people.withApp(people.withApp(new Map(), api), web), 'both');
    await world.pass(A_WHILE);
    const files = people.withKey(people.headFiles(world), 'api', 'COLOUR', 'green');
    people.push(world, people.withKey(files, 'web', 'COLOUR', 'green'), 'both change');
    await world.pass(3000);
  },
  'an invalid commit, then a valid one': async (world) => {
    await serving(world);
    const good = people.headFiles(world);
    people.commit(world, people.withKey(good, 'web', 'replicas', 'many'), 'invalid');
    await world.pass(300);
    people.commit(world, people.withKey(good, 'web', 'COLOUR', 'blue'), 'valid');
    await world.pass(A_WHILE);
  },
  'a followed branch moves': async (world) => {
    world.sources.branches.set(`${repoOf('web')} main`, people.newVersion(world, 'web', 'good'));
    await serving(world, { ref: 'main' });
    world.sources.branches.set(`${repoOf('web')} main`, people.newVersion(world, 'web', 'good'));
    world.sources.moved();
    await world.pass(A_WHILE);
  },
  'a damaged slot, and a source that does not answer': async (world) => {
    await serving(world);
    world.sources.unreachable.add(repoOf('web'));
    world.folders.damaged.add(`web/${world.folders.apps.get('web')?.record?.live?.slot}`);
    world.crash();
    await world.pass(A_WHILE);
    people.kill(world);
    await world.pass(20_000);
  },
  'notes, proxy, disk and backend fail for a moment': async (world) => {
    await serving(world);
    world.notes.failing = 2;
    world.plane.failing = 1;
    world.machine.blind = 1;
    world.folders.failCheckout.set('web', 'the disk hiccuped');
    pushVersion(world, 'good');
    await world.pass(9000);
  },
};
