import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { setAppRef, setAppSuspend } from '../../../src/intent/edit.ts';
import { parseFile } from '../../../src/intent/parse.ts';
import type { Result } from '../../../src/base/result.ts';
import { app, file } from './files.ts';

const done = (result: Result<string>): string =>
  result.ok ? result.value : `${result.error.code}: ${result.error.message}`;

describe('setAppRef', () => {
  test.each([
    [
      'plain, comment kept',
      'source:\n  repo: x\n  ref: main # pinned\n',
      'source:\n  repo: x\n  ref: v2 # pinned\n',
    ],
    ['single quotes', "source: {repo: x, ref: 'main'}\n", "source: {repo: x, ref: 'v2'}\n"],
    ['double quotes', 'source: {repo: x, ref: "main"}\n', 'source: {repo: x, ref: "v2"}\n'],
    ['CRLF', 'source:\r\n  repo: . # here\r\n', 'source:\r\n  repo: . # here\r\n  ref: v2\r\n'],
    ['flow', 'source: {repo: ., path: a}\n', 'source: {repo: ., ref: v2, path: a}\n'],
    ['no line end', 'source:\n    repo: .', 'source:\n    repo: .\n    ref: v2'],
    ['a block text', 'source:\n  ref: |-\n    main\n  repo: x\n', 'source:\n  ref: v2\n  repo: x\n'],
    ['an empty value', 'source:\n  ref: # none\n  repo: .\n', 'source:\n  ref: v2 # none\n  repo: .\n'],
  ])('%s', (_name, before, after) => {
    const head = 'kind: App\nname: web\n\n# about\n';
    expect(done(setAppRef(head + before, 'web', 'v2'))).toBe(head + after);
  });

  test('JSON style, a byte order mark, and the right one of several documents', () => {
    const first = '\uFEFF{"kind": "App", "name": "a", "source": {"repo": "."}}\n---\n';
    const second = app('b');
    expect(done(setAppRef(first + second, 'a', 'main'))).toBe(
      first.replace('"."', '".", "ref": "main"') + second,
    );
    expect(done(setAppRef(first + second, 'b', 'main'))).toBe(
      first + second.replace('{repo: .}', '{repo: ., ref: main}'),
    );
  });

  test('what would be read as a number or a word is quoted', () => {
    for (const ref of ['1234567', '1e5', '0x12', 'true', 'null', '1.5', 'a#b', 'a{b', 'a,b', 'a@b']) {
      const edited = done(setAppRef(app('web'), 'web', ref));
      const [document] = parseFile(file('a.yaml', edited)).documents;
      expect(document?.document.kind === 'App' ? document.document.value.source.ref : null).toBe(ref);
    }
  });

  test.each([
    ['an app that is not there', app('web'), 'wbe', 'main', 'app-not-in-file'],
    ['a ref that git would take for an option', app('web'), 'web', '--x', 'bad-ref'],
    ['an empty ref', app('web'), 'web', '', 'bad-ref'],
    [
      'an anchor used elsewhere',
      'kind: App\nname: web\nsource: {repo: x, ref: &r a}\nenv: {A: *r}\n',
      'web',
      'b',
      'edit-refused',
    ],
    [
      'a source that is an alias',
      'kind: App\nname: web\nx: &s {repo: x}\nsource: *s\n',
      'web',
      'b',
      'edit-refused',
    ],
  ])('%s is refused', (...[, text, name, ref, code]) => {
    expect(setAppRef(text, name, ref)).toMatchObject({ ok: false, error: { code } });
  });
});

describe('setAppSuspend', () => {
  test('is written below the name, changed in place, and left alone when it is so already', () => {
    const text = app('web');
    const suspended = done(setAppSuspend(text, 'web', true));
    expect(suspended).toBe(text.replace('name: web\n', 'name: web\nsuspend: true\n'));
    expect(done(setAppSuspend(suspended, 'web', false))).toBe(suspended.replace('true', 'false'));
    expect(done(setAppSuspend(suspended, 'web', true))).toBe(suspended);
    expect(done(setAppSuspend(text, 'web', false))).toBe(text);
  });
});

test('only one line changes, and the result is valid', () => {
  const comment = fc.constantFrom('', ' # note', '   #', ' # "quoted" {x}');
  const blank = fc.constantFrom('', '\n', '# between\n', '\n  # deep\n');
  const quote = fc.constantFrom(
    (text: string) => text,
    JSON.stringify,
    (text: string) => `'${text}'`,
  );
  const ref = fc.stringMatching(/^[a-z0-9][a-z0-9]{0,8}(\/[a-z0-9]{1,8})?$/);
  const layout = fc.record({
    comment,
    blank,
    quote,
    old: fc.option(ref),
    newline: fc.constantFrom('\n', '\r\n'),
    order: fc.boolean(),
  });
  fc.assert(
    fc.property(
      layout,
      ref,
      fc.boolean(),
      ({ comment: note, blank: gap, quote: quoted, old, newline, order }, next, suspended) => {
        const source = [
          `  repo: ${quoted('/srv/a')}${note}`,
          old === null ? '' : `  ref: ${quoted(old)}${note}`,
        ].filter((line) => line !== '');
        const lines = [
          'kind: App',
          `name: ${quoted('web')}${note}`,
          gap,
          'source:',
          ...(order ? source : source.toReversed()),
          'start_command: x',
          'port: 1',
        ];
        const text = lines.join('\n').replaceAll('\n', newline);
        for (const edited of [setAppRef(text, 'web', next), setAppSuspend(text, 'web', suspended)]) {
          expect(edited.ok).toBe(true);
          if (!edited.ok) continue;
          expect(differing(text.split('\n'), edited.value.split('\n'))).toBeLessThanOrEqual(1);
        }
        const pinned = setAppRef(text, 'web', next);
        expect(
          parseFile(file('a.yaml', pinned.ok ? pinned.value : '')).documents[0]?.document.value,
        ).toMatchObject({ source: { ref: next } });
      },
    ),
    { numRuns: 300 },
  );
});

/** Lines that differ when equal beginnings and ends are taken away. */
function differing(before: readonly string[], after: readonly string[]): number {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < Math.min(before.length, after.length) - start && before.at(-1 - end) === after.at(-1 - end))
    end += 1;
  return Math.max(before.length, after.length) - start - end;
}
