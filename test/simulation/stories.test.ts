/** Every short story, once for each of its steps, with the daemon dying there. */
import { describe, expect, test } from 'vitest';
import { runStory, told } from './run.ts';
import { STORIES } from './stories.ts';

const LIMIT_MS = 120_000;

describe('a death at every step', () => {
  test.each(Object.entries(STORIES))('%s', { timeout: LIMIT_MS }, async (name, story) => {
    const whole = await runStory(story, []);
    expect(told(name, whole)).toBeNull();
    expect(whole.steps).toBeGreaterThan(20);
    for (let step = 1; step <= whole.storySteps; step++) {
      const outcome = await runStory(story, [step]);
      expect(told(`${name}, death at ${step}`, outcome)).toBeNull();
      expect(outcome.lives).toBeGreaterThan(1);
    }
  });
});
