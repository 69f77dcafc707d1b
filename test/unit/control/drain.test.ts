/** A shutdown at any step of what the loop does leaves nothing running, and comes to its end. */
import { describe, expect, test } from 'vitest';
import * as people from '../../simulation/people.ts';
import { createWorld, type World } from '../../simulation/world.ts';

const STEPS = 70;

type Proxy = 'works' | 'fails';

interface Shutdown {
  readonly begun: boolean;
  readonly ended: boolean;
  readonly left: readonly string[];
}

/** One app serves, something happens to it, and that many steps later all is drained. */
async function shutDown(happens: (world: World) => void, after: number, proxy: Proxy): Promise<Shutdown> {
  let at = Infinity;
  let begun = false;
  let ended = false;
  const drain = async (): Promise<void> => {
    begun = true;
    if (proxy === 'fails') world.plane.failing = Infinity;
    await world.daemon?.control.drain();
    await world.daemon?.control.stop();
    ended = true;
  };
  const crashAt = (step: number): boolean => {
    if (step === at) void drain();
    return false;
  };
  const world = createWorld({ seed: 1, orderly: true, trace: null, crashAt });
  // What the rules of the simulation say of an app that is not served is of no interest here.
  const pass = (ms: number): Promise<void> => world.schedule.runUntil(world.schedule.now() + ms, () => true);
  const ref = people.newVersion(world, 'web', 'good');
  people.commit(world, people.withApp(new Map(), { name: 'web', ref, port: 8001 }), 'first');
  await pass(1500);
  at = world.steps + after;
  happens(world);
  await pass(60_000);
  const left = world.machine.running().map(({ spec }) => spec.id);
  world.end();
  return { begun, ended, left };
}

describe('a shutdown leaves nothing running', () => {
  test.each<[string, (world: World) => void, Proxy]>([
    ['while a new version is deployed', pushVersion, 'works'],
    ['after a process was killed by hand', people.kill, 'works'],
    ['while it is restarted', restart, 'works'],
    ['while it is restarted, and the proxy takes no table any more', restart, 'fails'],
  ])('%s', { timeout: 60_000 }, async (_, happens, proxy) => {
    for (let after = 1; after <= STEPS; after++) {
      const { begun, ended, left } = await shutDown(happens, after, proxy);
      if (begun) expect({ after, ended, left }).toEqual({ after, ended: true, left: [] });
    }
  });
});

function pushVersion(world: World): void {
  const ref = people.newVersion(world, 'web', 'good');
  people.push(world, people.withKey(people.headFiles(world), 'web', 'ref', JSON.stringify(ref)), 'next');
}

function restart(world: World): void {
  void world.daemon?.plane.restart('web', { name: 'someone', role: 'operator' });
}
