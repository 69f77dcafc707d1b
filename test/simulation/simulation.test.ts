/** Every short story with the daemon dying at each of its steps, and seeded worlds; see `npm run simulate` for more. */
import { describe, expect, test } from 'vitest';
import { FAILED_BEFORE } from './cases.ts';
import { runSeed, runStory, type Outcome } from './run.ts';
import { STORIES } from './stories.ts';

const SEEDS = 300;
const LIMIT_MS = 120_000;

/** What a failure needs to be looked at again. */
function told(name: string, { violation }: Outcome): string | null {
  return violation === null ? null : `${name}: ${violation.rule}: ${violation.what}`;
}

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

describe('seeded worlds', () => {
  test(`the first ${SEEDS}`, { timeout: LIMIT_MS }, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) expect(told(`seed ${seed}`, await runSeed(seed))).toBeNull();
  });

  test.each(FAILED_BEFORE)('seed $seed: $because', async ({ seed }) => {
    expect(told(`seed ${seed}`, await runSeed(seed))).toBeNull();
  });

  test('the same seed gives the same world', async () => {
    const traces = [7, 7].map(async (seed) => {
      const lines: string[] = [];
      await runSeed(seed, (line) => lines.push(line));
      return lines.join('\n');
    });
    expect(await traces[0]).toBe(await traces[1]);
  });
});
