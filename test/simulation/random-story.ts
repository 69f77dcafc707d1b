/** A story drawn by chance: what people and the world do to one installation in a few minutes. */
import type { Character } from '../fakes/source-store.ts';
import { repoOf, type AppText } from './intent.ts';
import * as people from './people.ts';
import type { World } from './world.ts';

const NAMES = ['api', 'web', 'worker'] as const;
const PORTS: Readonly<Record<string, number>> = { api: 8001, web: 8002, worker: 8003 };
/** More than the flap brake allows would make a good version end up held. */
const KILLS_MAX = 4;

const CHARACTERS: Readonly<Record<Character, number>> = {
  good: 10,
  slow: 2,
  crashy: 1,
  unhealthy: 2,
  silent: 1,
  exits: 2,
  unstartable: 1,
  'bad-setup': 1,
};

const DEEDS = {
  version: 10,
  configuration: 3,
  add: 4,
  remove: 2,
  suspend: 2,
  invalid: 2,
  revert: 3,
  branch: 3,
  warm: 1,
  replicas: 1,
  kill: 3,
  unreachable: 1,
  reachable: 2,
  notes: 2,
  blind: 1,
  proxy: 1,
  checkout: 1,
  damage: 1,
  deploy: 3,
  rollback: 2,
  restart: 1,
  crash: 1,
} as const;

type Deed = keyof typeof DEEDS;
type Send = typeof people.push;

export async function randomStory(world: World): Promise<void> {
  const { chance } = world;
  people.commit(world, people.withApp(new Map(), newApp(world, chance.pick(NAMES))), 'first');
  const deeds = chance.whole(2, 9);
  const budget = { kills: chance.whole(0, KILLS_MAX) };
  for (let i = 0; i < deeds && world.watch.broken === null; i++) {
    await pause(world);
    perform(world, chance.weighted(DEEDS), budget);
  }
  await pause(world);
}

/** Requests come in all the while. */
async function pause(world: World): Promise<void> {
  const { chance } = world;
  const ms = chance.weighted({ short: 3, middle: 5, long: 1 });
  let left = { short: chance.whole(0, 60), middle: chance.whole(60, 3000), long: chance.whole(3000, 20_000) }[
    ms
  ];
  while (left > 0 && world.watch.broken === null) {
    const slice = Math.min(left, chance.whole(20, 1500));
    await world.pass(slice);
    left -= slice;
    for (const name of NAMES) if (chance.hit(0.4)) world.plane.request(name, chance.pick([5, 40, 300, 2000]));
  }
}

function newApp(world: World, name: string): AppText {
  const { chance } = world;
  const character = chance.weighted(CHARACTERS);
  const made = people.newVersion(world, name, character);
  const followed = chance.hit(0.3);
  if (followed) world.sources.branches.set(`${repoOf(name)} main`, made);
  const others = people.appsIn(people.headFiles(world)).filter((other) => other < name);
  return {
    name,
    ref: followed ? 'main' : made,
    port: PORTS[name] ?? 8000,
    replicas: chance.hit(0.2) ? 2 : 1,
    warm: chance.hit(0.2),
    setup: chance.hit(0.3) || character === 'bad-setup',
    onFailure: chance.weighted({ restart: 6, hold: 1, replace: 1 }),
    after: chance.hit(0.2) ? others.slice(0, 1) : [],
  };
}

function perform(world: World, deed: Deed, budget: { kills: number }): void {
  const { chance } = world;
  const files = people.headFiles(world);
  const apps = people.appsIn(files);
  const send: Send = chance.hit(0.7) ? people.push : (...change) => void people.commit(...change);
  const app = apps.length === 0 ? null : chance.pick(apps);
  const missing = NAMES.filter((name) => !apps.includes(name));
  if (deed === 'add' || app === null) {
    if (missing.length > 0) {
      const name = chance.pick(missing);
      send(world, people.withApp(files, newApp(world, name)), `add ${name}`);
    }
    return;
  }
  if (isChange(deed)) return change(world, { deed, app, send });
  switch (deed) {
    case 'kill':
      if (budget.kills-- > 0) people.kill(world);
      return;
    case 'unreachable':
      world.sources.unreachable.add(repoOf(app));
      return;
    case 'reachable':
      world.sources.unreachable.clear();
      return world.sources.moved();
    case 'notes':
      world.notes.failing = chance.whole(1, 4);
      return;
    case 'blind':
      world.machine.blind = chance.whole(1, 3);
      return;
    case 'proxy':
      world.plane.failing = chance.whole(1, 3);
      return;
    case 'checkout':
      return void world.folders.failCheckout.set(app, 'the disk hiccuped');
    case 'damage':
      return people.damage(world, app);
    case 'deploy':
      return people.deploy(world, app, people.newVersion(world, app, character(world)));
    case 'rollback':
      return people.rollBack(world, app);
    case 'restart':
      return people.restart(world, app);
    case 'crash':
      return world.crash();
  }
}

const CHANGES = [
  'version',
  'configuration',
  'remove',
  'suspend',
  'invalid',
  'revert',
  'branch',
  'warm',
  'replicas',
] as const;
type Change = (typeof CHANGES)[number];

function isChange(deed: Deed): deed is Change {
  return (CHANGES as readonly string[]).includes(deed);
}

/** Setup fails only where there is one. */
function character(world: World): Character {
  return world.chance.weighted({ ...CHARACTERS, 'bad-setup': 0 });
}

function change(
  world: World,
  { deed, app, send }: { readonly deed: Change; readonly app: string; readonly send: Send },
): void {
  const { chance } = world;
  const files = people.headFiles(world);
  const set = (key: string, value: string): void =>
    send(world, people.withKey(files, app, key, value), `${app}: ${key} ${value}`);
  switch (deed) {
    case 'version':
      return set('ref', JSON.stringify(people.newVersion(world, app, character(world))));
    case 'configuration':
      return set('COLOUR', chance.pick(['red', 'green', 'blue']));
    case 'remove':
      return send(world, people.withoutApp(files, app), `remove ${app}`);
    case 'suspend':
      if (chance.hit(0.5)) return people.suspend(world, app, chance.hit(0.5));
      return set('suspend', String(chance.hit(0.5)));
    case 'invalid':
      return set('replicas', 'many');
    case 'revert': {
      const { head, commits } = world.history;
      const before = commits.get(commits.get(head ?? '')?.parents[0] ?? '');
      if (before !== undefined) send(world, before.files, 'revert');
      return;
    }
    case 'branch':
      world.say(`--- ${app}: its branch moves`);
      world.sources.branches.set(`${repoOf(app)} main`, people.newVersion(world, app, character(world)));
      return world.sources.moved();
    case 'warm':
      return set('keep_previous_warm', String(chance.hit(0.5)));
    case 'replicas':
      return set('replicas', String(chance.whole(1, 2)));
  }
}
