import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../../src/intent/diagnostic.ts';
import { parseFile } from '../../../src/intent/parse.ts';
import { renderGithub } from '../../../src/intent/render-github.ts';
import { renderSarif } from '../../../src/intent/render-sarif.ts';
import { renderJson, renderLine, renderText } from '../../../src/intent/render.ts';
import { printable } from '../../../src/intent/words.ts';
import { app, file } from './files.ts';

const ONE: Diagnostic = {
  severity: 'error',
  code: 'unknown-key',
  message: 'unknown key `colour` in App',
  file: 'apps/web.yaml',
  line: 7,
  column: 3,
  length: 6,
  source: '  colour: red',
};

describe('renderText', () => {
  test('has the place, the line and carets below it', () => {
    expect(renderText([ONE])).toBe(
      'apps/web.yaml:7:3: error unknown-key unknown key `colour` in App\n  7 |   colour: red\n    |   ^^^^^^\n',
    );
    expect(renderLine(ONE)).toBe('apps/web.yaml:7:3: error unknown-key unknown key `colour` in App');
    expect(renderText([])).toBe('');
    expect(renderText([{ ...ONE, source: null }])).not.toContain('|');
  });

  test.each([
    ['a tab before it', { source: '\tcolour', column: 2 }, '  7 | \tcolour\n    | \t^^^^^^\n'],
    [
      'wide characters before it',
      { source: '語語 colour', column: 4 },
      '  7 | 語語 colour\n    |      ^^^^^^\n',
    ],
    ['a wide character itself', { source: 'a: 語x', column: 4, length: 1 }, '  7 | a: 語x\n    |    ^^\n'],
    [
      'an accent that combines',
      { source: 'e\u0301 x', column: 4, length: 1 },
      '  7 | e\u0301 x\n    |   ^\n',
    ],
    ['the end of a line', { source: 'a:', column: 3, length: 1 }, '  7 | a:\n    |   ^\n'],
    [
      'characters that steer a terminal',
      { source: 'a\u001B[2J', column: 1, length: 1 },
      '  7 | a?[2J\n    | ^\n',
    ],
  ])('carets stand right below %s', (_name, change, expected) => {
    expect(renderText([{ ...ONE, ...change }])).toContain(expected);
  });

  test('a long line is cut around the place', () => {
    const text = renderText([
      { ...ONE, source: `${'x'.repeat(300)}HERE${'y'.repeat(190)}`, column: 301, length: 4 },
    ]);
    const [, source = '', carets = ''] = text.split('\n');
    expect(source.length).toBeLessThan(200);
    expect(source.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('HERE');
  });

  test('colour is only there when asked for', () => {
    expect(renderText([ONE], { color: true })).toContain('\u001B[31merror');
    expect(renderText([ONE])).not.toContain('\u001B');
  });
});

test('json says whether it is valid', () => {
  expect(JSON.parse(renderJson([ONE]))).toEqual({ valid: false, diagnostics: [ONE] });
  expect(JSON.parse(renderJson([{ ...ONE, severity: 'warning' }]))).toMatchObject({ valid: true });
});

test('workflow commands are escaped', () => {
  const command = renderGithub([{ ...ONE, file: 'a,b:c.yaml', message: '50%\nnext' }]);
  expect(command).toBe(
    '::error file=a%2Cb%3Ac.yaml,line=7,endLine=7,col=3,endColumn=9,title=unknown-key::50%25%0Anext\n',
  );
});

test('sarif names each rule once and refers to it', () => {
  const log = JSON.parse(renderSarif([ONE, { ...ONE, code: 'bad-ref', file: 'a b.yaml' }, ONE])) as {
    version: string;
    runs: {
      tool: { driver: { rules: { id: string }[] } };
      results: { ruleId: string; ruleIndex: number }[];
    }[];
  };
  expect(log.version).toBe('2.1.0');
  const [run] = log.runs;
  expect(run?.tool.driver.rules.map(({ id }) => id)).toEqual(['bad-ref', 'unknown-key']);
  for (const { ruleId, ruleIndex } of run?.results ?? [])
    expect(run?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
  expect(JSON.stringify(log)).toContain('a%20b.yaml');
});

describe('whatever the bytes', () => {
  const pieces = fc.array(
    fc.constantFrom(
      'kind: App\n',
      'name: web\n',
      '- ',
      '{',
      '}',
      '[',
      ']',
      ': ',
      '? ',
      '&a ',
      '*a',
      '!x ',
      '"',
      "'",
      '\n',
      '\t',
      '  ',
      '|\n',
      '---\n',
      '%YAML 1.1\n',
      '<<: ',
      '1',
      'é語',
      '\u{1F600}',
      '#',
      ',',
      '@',
      '\r\n',
      '...\n',
      app('web'),
    ),
    { maxLength: 60 },
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    pieces.map((parts) => new TextEncoder().encode(parts.join(''))),
  );

  test('parsing and rendering never throw, and every place is in the file', () => {
    fc.assert(
      fc.property(bytes, (content) => {
        const { diagnostics, text, documents } = parseFile(file('a.yaml', content));
        const lines = text.split('\n');
        for (const each of diagnostics) {
          expect(each.line).toBeGreaterThan(0);
          expect(each.line).toBeLessThanOrEqual(lines.length);
          expect(each.column).toBeLessThanOrEqual((lines[each.line - 1] ?? '').length + 1);
          expect(each.length).toBeGreaterThan(0);
          expect(printable(each.message)).toBe(each.message);
        }
        expect(documents.length === 0 || text.includes('App') || text.includes('System')).toBe(true);
        for (const render of [renderText, renderJson, renderGithub, renderSarif])
          expect(typeof render(diagnostics)).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['brackets', '['.repeat(262_144)],
    ['closing brackets', ']'.repeat(50_000)],
    ['keys', `kind: App\nenv:\n${Array.from({ length: 20_000 }, (_, n) => ` k${n}: v\n`).join('')}`],
    ['the same key', `kind: App\n${'a: 1\n'.repeat(40_000)}`],
    ['one long line', `kind: App\nenv: {${Array.from({ length: 20_000 }, (_, n) => `A${n}: 1`).join(', ')}}`],
    ['documents', 'kind: App\n---\n'.repeat(15_000)],
  ])(
    'a file full of %s is answered in bounded time',
    (_name, text) => {
      const { diagnostics } = parseFile(file('a.yaml', text));
      expect(diagnostics.length).toBeLessThanOrEqual(101);
    },
    15_000,
  );
});
