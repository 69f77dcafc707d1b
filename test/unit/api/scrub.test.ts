/** Secrets cannot reach messages: what was registered never comes out, and the usual shapes are recognised. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createScrubber, MASK } from '../../../src/base/scrub.ts';

const scrubber = createScrubber();

describe('shapes', () => {
  const hidden: readonly (readonly [string, string])[] = [
    ['authorization: Bearer abcdefgh12345', 'abcdefgh12345'],
    ['Authorization: Basic eDpzZWNyZXQtdG9rZW4=', 'eDpzZWNyZXQtdG9rZW4='],
    ['fatal: could not read https://me:hunter2@example.org/x.git', 'hunter2'],
    ['https://ghp_0123456789abcdefghijABCDEFGHIJ@github.com/x', 'ghp_0123456789'],
    ['https://me:pa/ss@w@example.org/x', 'pa/ss'],
    ['nats://u:longpassword@127.0.0.1:4222', 'longpassword'],
    ['API_TOKEN=s3cr3t node x.js', 's3cr3t'],
    ["PASSWORD='a b c' x", 'a b c'],
    ['mainstay serve --token abc123def', 'abc123def'],
    ['{"token":"abcdef"}', 'abcdef'],
    ['{\\"password\\":\\"abcdef\\"}', 'abcdef'],
    ['the token mst_0123456789abcdef0123 is bad', '0123456789abcdef'],
    ['AKIAABCDEFGHIJKLMNOP', 'AKIAABCDEFGHIJKLMNOP'],
    ['x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0.abc-_def y', 'eyJzdWIi'],
    ['-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----', 'MIIabc'],
  ];
  test.each(hidden)('%s', (text, secret) => {
    expect(scrubber.text(text)).not.toContain(secret);
  });

  const kept: readonly string[] = [
    'git@example.org:team/app.git',
    'ssh://git@example.org/team/app.git',
    'http://127.0.0.1:4873/@scope/pkg',
    'app.yaml:3:5: error secrets[0].file: no such file',
    'GET http://127.0.0.1:41234/healthz answered 500',
    'the token is expired; make another with mainstay token create',
    'commit 0123456789abcdef0123456789abcdef01234567',
  ];
  test.each(kept)('%s stays', (text) => {
    expect(scrubber.text(text)).toBe(text);
  });
});

test('values under telling keys are masked, names of files and counts are not', () => {
  const value = scrubber.value({
    headers: { Authorization: 'x', cookie: 'y' },
    token: 'abc',
    token_file: '/run/t',
    tokens: 3,
    list: [{ api_key: 'k' }],
    error: new Error('GET https://a:b@c failed'),
  });

  expect(value).toMatchObject({
    headers: { Authorization: MASK, cookie: MASK },
    token: MASK,
    token_file: '/run/t',
    tokens: 3,
    list: [{ api_key: MASK }],
    error: { message: `GET https://${MASK}@c failed` },
  });
});

test('a value that contains itself ends', () => {
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;

  expect(JSON.stringify(scrubber.value(loop))).toContain('[deep]');
});

const secretText = fc
  .string({ minLength: 6, maxLength: 40, unit: 'grapheme' })
  .filter((s) => s.length >= 6 && !s.includes('*'));

test('property: a registered value never comes out, wherever it stands', () => {
  fc.assert(
    fc.property(
      secretText,
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'grapheme' }),
      (secret, before, after) => {
        const own = createScrubber();
        own.register(secret);
        const text = before + secret + after;

        expect(own.text(text)).not.toContain(secret);
        expect(JSON.stringify(own.value({ a: [text], [text]: 1 }))).not.toContain(
          JSON.stringify(secret).slice(1, -1),
        );
      },
    ),
  );
});

test('property: a secret in a telling place never comes out, whatever stands around it', () => {
  const place = fc.constantFrom<(secret: string) => string>(
    (s) => `Bearer ${s}`,
    (s) => `basic ${s}`,
    (s) => `https://user:${s}@host/path`,
    (s) => `https://${s}@host`,
    (s) => `MY_TOKEN=${s}`,
    (s) => `--operator-token ${s}`,
    (s) => JSON.stringify({ client_secret: s }),
    (s) => `mst_${s}`,
  );
  const around = fc.string({ maxLength: 60 });
  const secret = fc.stringMatching(/^[a-zA-Z0-9_]{20,40}$/);
  fc.assert(
    fc.property(place, secret, around, around, (put, value, before, after) => {
      expect(scrubber.text(`${before} ${put(value)} ${after}`)).not.toContain(value);
    }),
    { numRuns: 1000 },
  );
});

test('a hundred kilobytes of hostile text take milliseconds', () => {
  for (const unit of [
    '://a:',
    'token=',
    '"token":"',
    'eyJaaaaaaaa.',
    '-----BEGIN PRIVATE KEY-----',
    'a-',
    'secret ',
    ' ',
  ]) {
    const text = unit.repeat(Math.ceil(100_000 / unit.length));
    const started = performance.now();
    scrubber.text(text);

    expect(performance.now() - started, unit).toBeLessThan(1000);
  }
});
