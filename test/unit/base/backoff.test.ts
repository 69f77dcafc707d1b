import { expect, test } from 'vitest';
import { backoffMs } from '../../../src/base/backoff.ts';

const POLICY = { firstMs: 1000, capMs: 60_000 };

test.each([
  [1, 0, 1000],
  [2, 0, 2000],
  [6, 0, 32_000],
  [7, 0, 60_000],
  [1000, 0, 60_000],
  [1, 0.5, 1100],
  [7, 1, 72_000],
  [0, 0, 1000],
])('attempt %d with chance %d waits %d ms', (attempt, chance, ms) => {
  expect(backoffMs(POLICY, attempt, chance)).toBe(ms);
});
