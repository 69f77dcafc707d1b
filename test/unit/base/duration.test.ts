import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/base/duration.ts';

describe('parseDuration', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['0s', 0],
    ['2d', 172_800_000],
  ])('%s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each(['', '5', 's', '-1s', '1x', '5m!', '1e3s'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeNull();
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0 ms'],
    [85.4, '85 ms'],
    [1420, '1.42 s'],
    [60_000, '1 min 0 s'],
    [200_000, '3 min 20 s'],
  ])('%d', (ms, text) => expect(formatDuration(ms)).toBe(text));
});
