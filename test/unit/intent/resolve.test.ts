import { describe, expect, test } from 'vitest';
import { compileIntent } from '../../../src/intent/compile.ts';
import type { ParsedFile } from '../../../src/intent/file.ts';
import { parseFile } from '../../../src/intent/parse.ts';
import { resolveIntent } from '../../../src/intent/resolve.ts';
import { app, compile, file, SYSTEM } from './files.ts';

const said = (files: Readonly<Record<string, string>>): string[] =>
  compile(files).diagnostics.map(
    (each) => `${each.file}:${each.line}:${each.column}+${each.length} ${each.code}`,
  );

describe('across documents', () => {
  test('a good commit becomes Intent, with the file of each unit', () => {
    const { intent, diagnostics } = compile({
      'apps/a.yaml': app('a'),
      'more.yml': app('b', 'after: [a]\n', 3001),
    });
    expect(diagnostics).toEqual([]);
    expect(intent?.commit).toBe('c0ffee');
    expect([...(intent?.apps.keys() ?? [])]).toEqual(['a', 'b']);
    expect(Object.fromEntries(intent?.files ?? [])).toEqual({
      a: 'apps/a.yaml',
      b: 'more.yml',
      system: 'mainstay.yaml',
    });
  });

  test('an empty repository is told what to write', () => {
    const { intent, diagnostics } = compileIntent('c', []);
    expect(intent).toBeNull();
    expect(diagnostics).toMatchObject([
      { code: 'system-missing', file: 'mainstay.yaml', line: 1, column: 1, source: null },
    ]);
    expect(diagnostics[0]?.message).toMatch(/write `kind: System`/);
  });

  test.each<readonly [string, Readonly<Record<string, string>>, readonly string[]]>([
    [
      'no System in mainstay.yaml',
      { 'mainstay.yaml': '# soon\n' },
      ['mainstay.yaml:1:1+1 no-kind', 'mainstay.yaml:1:1+1 system-missing'],
    ],
    [
      'a broken System is not missing',
      { 'mainstay.yaml': 'kind: System\nx: 1\n' },
      ['mainstay.yaml:2:1+1 unknown-key'],
    ],
    ['a System elsewhere', { 'a.yaml': `# x\n${SYSTEM}` }, ['a.yaml:2:7+6 system-misplaced']],
    ['two Systems', { 'mainstay.yaml': `${SYSTEM}---\n${SYSTEM}` }, ['mainstay.yaml:3:7+6 duplicate-system']],
    ['a name twice', { 'a.yaml': app('a'), 'b.yaml': app('a', '', 3001) }, ['b.yaml:2:7+1 duplicate-name']],
    ['the name of the System', { 'a.yaml': app('system') }, ['a.yaml:2:7+6 duplicate-name']],
    ['the same route', { 'a.yaml': app('a'), 'b.yaml': app('b') }, ['b.yaml:5:7+4 duplicate-route']],
    [
      'the same host',
      { 'a.yaml': app('a', 'hosts: [x.y]\n'), 'b.yaml': app('b', 'hosts: [z, x.y]\n') },
      ['b.yaml:6:12+3 duplicate-route'],
    ],
    [
      'the same prefix in another spelling',
      { 'a.yaml': app('a', 'path_prefix: /x\n'), 'b.yaml': app('b', 'path_prefix: /x/\n') },
      ['b.yaml:5:7+4 duplicate-route'],
    ],
    ['a port shared by host', { 'a.yaml': app('a', 'hosts: [x.y]\n'), 'b.yaml': app('b') }, []],
    ['a port shared by path', { 'a.yaml': app('a', 'path_prefix: /x\n'), 'b.yaml': app('b') }, []],
    [
      'an internal port that is public',
      { 'a.yaml': app('a'), 'b.yaml': app('b', 'internal_port: 3000\n', 3001) },
      ['b.yaml:6:16+4 duplicate-port'],
    ],
    [
      'an internal port twice',
      { 'a.yaml': app('a', 'internal_port: 9000\n'), 'b.yaml': app('b', 'internal_port: 9000\n', 3001) },
      ['b.yaml:6:16+4 duplicate-port'],
    ],
    ['after an unknown app', { 'a.yaml': app('web', 'after: [webb]\n') }, ['a.yaml:6:9+4 unknown-app']],
    ['after itself', { 'a.yaml': app('a', 'after: [a]\n') }, ['a.yaml:6:9+1 after-cycle']],
    [
      'nothing is called unknown that may be in a broken file',
      { 'a.yaml': app('a', 'after: [b]\n'), 'b.yaml': 'kind: [' },
      ['b.yaml:1:8+1 yaml-syntax'],
    ],
    [
      'nor a broken document',
      { 'a.yaml': app('a', 'after: [b, c]\n'), 'b.yaml': app('b', 'x: 1\n', 3001) },
      ['a.yaml:6:12+1 unknown-app', 'b.yaml:6:1+1 unknown-key'],
    ],
  ])('%s', (_name, files, expected) => {
    expect(said(files)).toEqual(expected);
  });

  test('a cycle is printed whole, once', () => {
    const { diagnostics } = compile({
      'a.yaml': [
        app('a', 'after: [z, b]\n', 1),
        app('b', 'after: [c]\n', 2),
        app('c', 'after: [a]\n', 3),
        app('d', 'after: [a]\n', 4),
        app('z', '', 5),
      ].join('---\n'),
    });
    expect(diagnostics).toMatchObject([{ code: 'after-cycle', line: 6, column: 12 }]);
    expect(diagnostics[0]?.message).toContain('a -> b -> c -> a');
  });

  test('a chain of thousands is no cycle and no deep recursion', () => {
    const files = Object.fromEntries(
      Array.from({ length: 3000 }, (_, n) => [
        `a${n}.yaml`,
        app(`a${n}`, n === 0 ? '' : `after: [a${n - 1}]\n`, 1000 + n),
      ]),
    );
    expect(compile(files).diagnostics).toEqual([]);
  });
});

test('ten thousand files resolve quickly', () => {
  const parsed: ParsedFile[] = [parseFile(file('mainstay.yaml', SYSTEM))];
  for (let n = 0; n < 10_000; n += 1) {
    parsed.push(
      parseFile(
        file(
          `a${n}.yaml`,
          app(`a${n}`, `path_prefix: /p${n}\nafter: [a0]\n`.replace(n === 0 ? /after.*\n/ : /^$/, ''), 80),
        ),
      ),
    );
  }
  const times = [1, 2, 3].map(() => {
    const start = performance.now();
    expect(resolveIntent('c', parsed).intent?.apps.size).toBe(10_000);
    return performance.now() - start;
  });
  expect(Math.min(...times)).toBeLessThan(200);
}, 60_000);

describe('the cache', () => {
  test('gives back what was read before, by path, mode and object id', () => {
    const cache = new Map<string, ParsedFile>();
    const files = [file('mainstay.yaml', SYSTEM), file('a.yaml', app('a'))];
    const first = compileIntent('c', files, cache);
    const second = compileIntent('d', files, cache);
    expect(second.parsed[1]).toBe(first.parsed[1]);
    expect(second.intent?.commit).toBe('d');
  });

  test('stays within bounds', () => {
    const cache = new Map<string, ParsedFile>();
    for (let n = 0; n < 1500; n += 1) compileIntent('c', [{ ...file('a.yaml', ''), oid: String(n) }], cache);
    expect(cache.size).toBeLessThanOrEqual(1002);
    expect([...cache.keys()].at(-1)).toContain('1499');
  });
});
