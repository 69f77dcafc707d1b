/** Seeded worlds, those that failed once first; see `npm run simulate` for more of them. */
import { describe, expect, test } from 'vitest';
import { FAILED_BEFORE } from './cases.ts';
import { runSeed, told } from './run.ts';

const SEEDS = 300;
const LIMIT_MS = 120_000;

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
