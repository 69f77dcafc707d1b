import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crashed, FLAP } from '../../../src/plan/crashes.ts';
import type { CrashHistory } from '../../../src/plan/observed.ts';

describe('crashed', () => {
  test('restarts wait 1, 2, 4, 8 s, and the sixth exit within ten minutes is a hold', () => {
    let history: CrashHistory | null = null;
    const waits: number[] = [];
    const holds: boolean[] = [];
    for (let n = 0, now = 0; n < 6; n++, now += 30_000) {
      const verdict = crashed(history, { now, upMs: 100, chance: 0 });
      history = verdict.history;
      waits.push(verdict.history.restartAt - now);
      holds.push(verdict.hold);
    }

    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000]);
    expect(holds).toEqual([false, false, false, false, false, true]);
  });

  test('up for long enough, the next exit waits as the first did, and still counts', () => {
    const before = { exits: [1000], attempts: 4, restartAt: 9000 };
    const { history } = crashed(before, { now: 70_000, upMs: FLAP.stableMs, chance: 0 });

    expect(history).toEqual({ exits: [1000, 70_000], attempts: 1, restartAt: 71_000 });
  });

  test('exits before the window are forgotten', () => {
    const exits = [0, 1, 2, 3, 4];
    const now = FLAP.windowMs + 4;

    expect(crashed({ exits, attempts: 5, restartAt: 0 }, { now, upMs: 1, chance: 0 })).toMatchObject({
      hold: false,
      history: { exits: [now] },
    });
  });

  test('never waits less than the first backoff nor more than the cap and its jitter', () => {
    const times = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 0.999, noNaN: true }), (gaps, chance) => {
        let history: CrashHistory | null = null;
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          history = crashed(history, { now, upMs: gap, chance }).history;
          const wait = history.restartAt - now;
          expect(wait).toBeGreaterThanOrEqual(FLAP.backoff.firstMs);
          expect(wait).toBeLessThanOrEqual(FLAP.backoff.capMs * 1.2);
        }
      }),
    );
  });
});
