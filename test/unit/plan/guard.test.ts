import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowsStop, guard, GUARD_FROM_UNITS } from '../../../src/plan/guard.ts';

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `app-${i}`);
const input = (running: number, wanted: number, more: Partial<Parameters<typeof guard>[0]> = {}) => ({
  running: names(running),
  wanted: new Set(names(wanted)),
  maxStop: 0.5,
  message: 'change',
  treeConverged: false,
  ...more,
});

describe('guard', () => {
  test.each<[string, Parameters<typeof guard>[0], boolean]>([
    ['three of three: too few to guard', input(3, 0), true],
    ['two of four: half is allowed', input(4, 2), true],
    ['three of four', input(4, 1), false],
    ['three of four, with the trailer', input(4, 1, { message: 'change\n\nMainstay-Allow: stop\n' }), true],
    ['three of four, back to what has been', input(4, 1, { treeConverged: true }), true],
    ['one of four where none may stop', input(4, 3, { maxStop: 0 }), false],
  ])('%s', (_, given, allowed) => expect(guard(given).allowed).toBe(allowed));

  const anyInput = fc.record({
    running: fc.uniqueArray(fc.constantFrom(...names(12))),
    wanted: fc.uniqueArray(fc.constantFrom(...names(12))).map((list) => new Set(list)),
    maxStop: fc.double({ min: 0, max: 1, noNaN: true }),
    message: fc.constantFrom('change', 'change\n\nMainstay-Allow: stop'),
    treeConverged: fc.boolean(),
  });

  test('names exactly what runs and is no longer wanted, in order', () => {
    fc.assert(
      fc.property(anyInput, (given) => {
        const { stops } = guard(given);
        expect(stops).toEqual([...given.running].filter((unit) => !given.wanted.has(unit)).sort());
      }),
    );
  });

  test('never stands in the way of a commit that stops nothing, nor of few units', () => {
    fc.assert(
      fc.property(anyInput, (given) => {
        const { allowed, stops } = guard(given);
        if (stops.length === 0 || given.running.length < GUARD_FROM_UNITS) expect(allowed).toBe(true);
      }),
    );
  });

  test('what it refuses it refuses under every lower limit', () => {
    fc.assert(
      fc.property(anyInput, fc.double({ min: 0, max: 1, noNaN: true }), (given, part) => {
        if (!guard(given).allowed)
          expect(guard({ ...given, maxStop: given.maxStop * part }).allowed).toBe(false);
      }),
    );
  });
});

describe('allowsStop', () => {
  test.each<[string, boolean]>([
    ['change\n\nMainstay-Allow: stop', true],
    ['change\n\nlong text\n\nSigned-off-by: A <a@b>\nmainstay-allow:  STOP  \n', true],
    ['Mainstay-Allow: stop', false],
    ['change\n\nMainstay-Allow: stop\n\nmore text', false],
    ['change\n\nMainstay-Allow: stopping', false],
    ['change\n\nwe say Mainstay-Allow: stop', false],
    ['', false],
  ])('%j', (message, allowed) => expect(allowsStop(message)).toBe(allowed));
});
