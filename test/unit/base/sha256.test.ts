import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonical, digestOf, sha256 } from '../../../src/base/sha256.ts';

describe('sha256', () => {
  const real = (text: string): string => createHash('sha256').update(text).digest('hex');

  test.each([0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000])('%d characters', (length) => {
    expect(sha256('x'.repeat(length))).toBe(real('x'.repeat(length)));
  });

  test('any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => sha256(text) === real(text)),
    );
  });
});

describe('canonical', () => {
  test('does not depend on the order of keys, and leaves out what is undefined', () => {
    expect(canonical({ b: 1, a: [{ d: null, c: undefined }] })).toBe('{"a":[{"d":null}],"b":1}');
    expect(digestOf({ a: 1, b: 2 })).toBe(digestOf({ b: 2, a: 1 }));
  });

  test('means what JSON means', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
