/** Runs worlds: one seed, or one short story with the daemon dying at a chosen step. */
import { createChance } from './chance.ts';
import { randomStory } from './random-story.ts';
import { comeToRest } from './rest.ts';
import type { Violation } from './rules.ts';
import { createWorld, type World } from './world.ts';

export interface Outcome {
  readonly violation: Violation | null;
  /** All of them, and those until faults ended. */
  readonly steps: number;
  readonly storySteps: number;
  readonly lives: number;
  readonly turns: number;
}

export type Trace = ((line: string) => void) | null;

/** A story drawn from the seed, with deaths drawn from it too. The same seed gives the same world, step by step. */
export async function runSeed(seed: number, trace: Trace = null): Promise<Outcome> {
  const deaths = createChance(seed + 0x5eed);
  const rate = deaths.pick([0, 0.002, 0.01, 0.03]);
  const most = deaths.whole(0, 8);
  let died = 0;
  const crashAt = (): boolean => died < most && deaths.hit(rate) && ++died > 0;
  const world = createWorld({ seed, crashAt, orderly: false, trace });
  return finish(world, randomStory);
}

/** A story in plain order, the daemon dying at exactly these steps. */
export async function runStory(
  story: (world: World) => Promise<void>,
  crashAt: readonly number[],
  trace: Trace = null,
): Promise<Outcome> {
  const world = createWorld({ seed: 1, crashAt: (step) => crashAt.includes(step), orderly: true, trace });
  return finish(world, story);
}

async function finish(world: World, story: (world: World) => Promise<void>): Promise<Outcome> {
  let storySteps = 0;
  const outcome = (violation: Violation | null): Outcome => ({
    violation,
    steps: world.steps,
    storySteps,
    lives: world.lives,
    turns: world.schedule.turns,
  });
  try {
    await story(world);
    storySteps = world.steps;
    await comeToRest(world);
    return outcome(world.watch.broken);
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return outcome({ rule: 'unexpected-error', what, step: world.steps });
  } finally {
    world.end();
  }
}

/** What was broken, in one line; null when nothing was. */
export function told(name: string, { violation }: Outcome): string | null {
  return violation === null ? null : `${name}: ${violation.rule}: ${violation.what}`;
}
