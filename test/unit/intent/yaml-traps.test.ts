import { describe, expect, test } from 'vitest';
import { isIntentPath, MAX_FILE_BYTES, parseFile } from '../../../src/intent/parse.ts';
import { app, file, parsed, places } from './files.ts';

const WEB = app('web');

describe('a trap of YAML is refused where it stands', () => {
  const traps: readonly (readonly [
    name: string,
    text: string,
    expected: readonly string[],
    words: RegExp,
  ])[] = [
    ['a YAML 1.1 directive', `%YAML 1.1\n---\n${WEB}`, ['1:1+9 yaml-version'], /1\.2/],
    [
      'a YAML 1.1 directive of the second document',
      `${WEB}...\n%YAML 1.1\n---\n${app('api')}`,
      ['7:1+9 yaml-version'],
      /remove/,
    ],
    ['a merge key', `${WEB}env:\n  <<: {A: b}\n`, ['7:3+2 yaml-merge-key'], /write the keys out/],
    ['a quoted merge key', `${WEB}env: {"<<": {A: b}}\n`, ['6:7+4 yaml-merge-key'], /write the keys out/],
    ['a duplicate key', `${WEB}port: 4000\n`, ['6:1+4 duplicate-key'], /`port` is given twice/],
    [
      'a duplicate key in another spelling',
      `${WEB}env: {1: a, "1": b}\n`,
      ['6:7+1 wrong-format', '6:13+3 duplicate-key'],
      /env/,
    ],
    ['__proto__', `${WEB}env: {__proto__: x}\n`, ['6:7+9 forbidden-key'], /__proto__/],
    [
      'constructor',
      `${WEB}constructor: {prototype: 1}\n`,
      ['6:1+11 forbidden-key', '6:15+9 forbidden-key'],
      /not allowed/,
    ],
    [
      'a number that loses digits',
      `${WEB}env: {A: 9007199254740993}\n`,
      ['6:10+16 number-out-of-range'],
      /quotes/,
    ],
    ['infinity', `kind: System\nguard: {max_stop: .inf}\n`, ['2:19+4 number-out-of-range'], /finite/],
    ['not a number', `kind: System\nguard: {max_stop: .nan}\n`, ['2:19+4 number-out-of-range'], /finite/],
    ['an unknown tag', `${WEB}env: {A: !secret b}\n`, ['6:10+7 yaml-tag'], /remove the tag/],
    ['a binary tag', `${WEB}env: {A: !!binary aGk=}\n`, ['6:10+8 yaml-tag'], /remove the tag/],
    ['a tab as indentation', `${WEB}env:\n\tA: b\n`, ['7:1+1 yaml-tab'], /spaces/],
    ['an unclosed list', `${WEB}hosts: [a\n`, ['7:1+1 yaml-syntax'], /\]/],
    ['an alias without anchor', `${WEB}env: {A: *x}\n`, ['6:10+2 invalid-alias'], /&x/],
    ['an alias inside itself', `${WEB}env: &e {A: *e}\n`, ['6:13+2 invalid-alias'], /inside itself/],
    ['an empty key', `${WEB}env: {"": a}\n`, ['6:7+2 invalid-key'], /key/],
    ['a mapping as a key', `${WEB}env: {? {a: b} : c}\n`, ['6:9+6 invalid-key'], /key/],
    ['yes for true', `${WEB}suspend: yes\n`, ['6:10+3 wrong-type'], /true and false/],
    ['a number as a text', `${WEB}env: {A: 80}\n`, ['6:10+2 wrong-type'], /in quotes/],
    ['a NUL', `${WEB}# \0\n`, ['6:3+1 control-character'], /U\+0000/],
    ['a lone carriage return', `${WEB}# a\rport: 1\n`, ['6:4+1 control-character'], /U\+000D/],
    ['text that runs the other way', `${WEB}# \u202Ea\n`, ['6:3+1 control-character'], /U\+202E/],
    ['a byte order mark in the middle', `${WEB}\uFEFF\n`, ['6:1+1 control-character'], /U\+FEFF/],
    ['nesting without end', `${WEB}env: ${'['.repeat(100_000)}`, ['6:68+1 too-deep'], /64 levels/],
    ['a key without a value', `${WEB}health_endpoint:\n`, ['6:1+15 wrong-type'], /not nothing/],
  ];
  test.each(traps)('%s', (_name, text, expected, words) => {
    const found = parsed(text);
    expect(places(found)).toEqual(expected);
    expect(found.map(({ message }) => message).join('\n')).toMatch(words);
  });

  test('billion laughs', () => {
    const levels = Array.from(
      { length: 12 },
      (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(', ')}]`,
    );
    const found = parsed(`kind: App\na0: &a0 [x]\n${levels.join('\n')}\n`);
    expect(found.filter(({ code }) => code === 'too-many-aliases')).toHaveLength(1);
  });

  test('a few aliases are fine', () => {
    expect(parsed(`${WEB}env: {A: &a one, B: *a}\n`)).toEqual([]);
  });

  test('bytes that are no UTF-8, with the place of the first', () => {
    const text = new TextEncoder().encode(`${WEB}# é`);
    expect(places(parsed(new Uint8Array([...text, 0xff, 0x41])))).toEqual(['6:4+1 not-utf-8']);
    expect(parsed(new Uint8Array([0xff, 0xfe, 0x6b, 0]))[0]?.message).toMatch(/UTF-16/);
  });

  test('a byte order mark at the start shifts no column', () => {
    expect(places(parsed(`\uFEFF${WEB}`))).toEqual([]);
    expect(places(parsed('\uFEFFkind: Ap\n'))).toEqual(['1:7+2 unknown-kind']);
  });

  test('columns are characters, also behind wide ones, and CRLF counts as one end of a line', () => {
    expect(places(parsed(`${WEB}env: {A: "\u{1F600}語", B: 1}\n`))).toEqual(['6:19+1 wrong-type']);
    expect(places(parsed(`${WEB}colour: 1\n`.replaceAll('\n', '\r\n')))).toEqual(['6:1+6 unknown-key']);
  });
});

describe('files', () => {
  test.each([
    ['mainstay.yaml', true],
    ['apps/web.yml', true],
    ['.github/workflows/ci.yaml', false],
    ['apps/.hidden/web.yaml', false],
    ['apps/.web.yaml', true],
    ['apps/web.yaml.txt', false],
    ['apps/web.json', false],
  ])('%s holds documents: %s', (path, expected) => {
    expect(isIntentPath(path)).toBe(expected);
  });

  test.each([
    ['a symbolic link', file('a.yaml', 'b.yaml', '120000'), 'not-a-file'],
    ['a submodule', { ...file('a.yaml', '', '160000'), content: 'missing' as const }, 'not-a-file'],
    ['a missing blob', { ...file('a.yaml', ''), content: 'missing' as const }, 'file-unreadable'],
    ['one reported as too large', { ...file('a.yaml', ''), content: 'too-large' as const }, 'file-too-large'],
    ['one that is too large', file('a.yaml', '#'.repeat(MAX_FILE_BYTES + 1)), 'file-too-large'],
  ])('%s is an error', (_name, source, code) => {
    expect(places(parseFile(source).diagnostics)).toEqual([`1:1+1 ${code}`]);
  });

  test.each([
    ['empty', '', '1:1+1 no-kind'],
    ['only comments', '# nothing\n', '1:1+1 no-kind'],
    ['a list', '- a\n', '1:1+1 no-kind'],
    ['a foreign document with its own tags and merges', 'a: !Ref b\n<<: *x\na: 1\n', '1:1+1 no-kind'],
  ])('%s: ignored with a warning', (_name, text, expected) => {
    const found = parsed(text);
    expect(places(found)).toEqual([expected]);
    expect(found[0]?.severity).toBe('warning');
  });

  test('many documents a file, each with its own errors, and empty ones between', () => {
    const result = parseFile(
      file('a.yaml', `---\n---\n${app('a')}---\n${app('b', 'colour: 1\n')}---\n${app('c')}---\n`),
    );
    expect(result.documents.map(({ document, index }) => [document.value.name, index])).toEqual([
      ['a', 1],
      ['c', 3],
    ]);
    expect(result.broken).toEqual(['b']);
    expect(places(result.diagnostics)).toEqual(['14:1+6 unknown-key']);
  });

  test('more errors than anyone reads are counted, not listed', () => {
    const found = parsed(`${WEB}${Array.from({ length: 300 }, (_, n) => `key_${n}: 1\n`).join('')}`);
    expect(found).toHaveLength(101);
    expect(found.at(-1)).toMatchObject({ code: 'too-many-errors', message: expect.stringMatching(/^200 /) });
  });
});
