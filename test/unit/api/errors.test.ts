/** One table of codes: every code in the source is in it, none in it is dead, and docs/errors.md says the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERRORS, meaningOf } from '../../../src/base/errors.ts';

const root = join(import.meta.dirname, '../../..');

const sources = ['src', 'backends'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|js)$/.test(file) && !file.endsWith('.gen.ts'))
    .map((file) => join(folder, file))
    .filter((file) => file !== join('src', 'base', 'errors.ts'))
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') })),
);

/** Where a code is written down: `failure('code', …)`, or a failure as a literal. */
const WRITTEN = /\bfailure\(\s*'([a-z0-9-]+)'|\{\s*code: '([a-z0-9-]+)',\s*message(?:: [^}]*?)?,\s*retry/g;

test('the scan sees the sources', () => {
  expect(sources.length).toBeGreaterThan(60);
});

test('every code in the source is in the table', () => {
  const missing = sources.flatMap(({ file, text }) =>
    [...text.matchAll(WRITTEN)]
      .map((match) => match[1] ?? match[2] ?? '')
      .filter((code) => !(code in ERRORS))
      .map((code) => `${file}: ${code}`),
  );

  expect(missing).toEqual([]);
});

test('no code in the table is dead', () => {
  const all = sources.map(({ text }) => text).join('\n');

  expect(Object.keys(ERRORS).filter((code) => !all.includes(`'${code}'`))).toEqual([]);
});

test('docs/errors.md has exactly these codes, with these words', () => {
  const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (\S+) \| (yes|no) \| (.+) \|$/gm)].map(
    ([, code, status, again, meaning]) => [code, status, again, meaning],
  );
  const table = Object.entries(ERRORS).map(([code, { status, retriable, meaning }]) => [
    code,
    status === null ? '-' : String(status),
    retriable ? 'yes' : 'no',
    meaning,
  ]);

  expect(rows).toEqual(table);
});

test('a code that is not known counts as a bug', () => {
  expect(meaningOf('no-such-code')).toMatchObject({ status: 500, retriable: false });
  expect(meaningOf('constructor')).toMatchObject({ status: 500 });
  expect(meaningOf('data-in-use')).toMatchObject({ status: 500 });
});
