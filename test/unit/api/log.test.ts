/** The log: JSON lines that can be parsed, lines for people that cannot be forged, no secrets in either. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLog } from '../../../src/adapters/log/json-log.ts';
import { createScrubber } from '../../../src/base/scrub.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mainstay-log-'));
  file = join(folder, 'daemon.log');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('an entry is one JSON line with level, time, message and fields, secrets masked', () => {
  const scrubber = createScrubber();
  scrubber.register('operator-secret');
  const lines: string[] = [];
  const log = createLog({ scrubber, json: { file }, lines: (line) => lines.push(line), color: false });
  log.warn('pushing to https://me:pw@host failed', {
    unit: 'web',
    token: 'x',
    error: new Error('operator-secret'),
  });
  log.close();

  const [first, ...rest] = readFileSync(file, 'utf8').trim().split('\n');
  expect(rest).toEqual([]);
  expect(JSON.parse(first ?? '')).toMatchObject({
    level: 'warn',
    msg: 'pushing to https://***@host failed',
    unit: 'web',
    token: '***',
    error: { type: 'Error', message: '***' },
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  });
  expect(lines).toEqual(['warn: pushing to https://***@host failed  unit=web token=*** error=***']);
});

test('text from outside cannot forge a second line or steer the terminal', () => {
  const lines: string[] = [];
  const log = createLog({
    scrubber: createScrubber(),
    json: 'off',
    lines: (line) => lines.push(line),
    color: false,
  });
  log.info('refused', { name: 'a\nerror: forged\u001b[2J' });

  expect(lines).toEqual(['refused  name="a error: forged [2J"']);
});

test('the file is rotated before it outgrows its limit', () => {
  const log = createLog({
    scrubber: createScrubber(),
    json: { file },
    lines: null,
    color: false,
    fileMaxBytes: 2000,
  });
  for (let n = 0; n < 40; n++) log.info('line', { n });
  log.close();

  expect(existsSync(`${file}.1`)).toBe(true);
  expect(readFileSync(file, 'utf8').length).toBeLessThanOrEqual(2000);
  expect(readFileSync(file, 'utf8')).toContain('"n":39');
});
