import { describe, expect, test } from 'vitest';
import { parseFile } from '../../../src/intent/parse.ts';
import { app, file, parsed, places } from './files.ts';

const WEB = app('web');

describe('what one document says wrong', () => {
  const cases: readonly (readonly [text: string, expected: string, words: RegExp])[] = [
    [`${WEB}healthEndpoint: /x\n`, '6:1+14 unknown-key', /did you mean `health_endpoint`\?/],
    [`${WEB}replcias: 2\n`, '6:1+8 unknown-key', /did you mean `replicas`\?/],
    [`${WEB}colour: red\n`, '6:1+6 unknown-key', /known are kind, name, source/],
    [`${WEB}image: x\n`, '6:1+5 not-supported-yet', /`image` is not supported yet/],
    ['kind: Service\nname: x\n', '1:7+7 kind-not-supported-yet', /Service is not supported yet/],
    ['kind: app\nname: x\n', '1:7+3 unknown-kind', /did you mean `App`/],
    ['kind: Deployment\n', '1:7+10 unknown-kind', /known are System and App/],
    ['kind: [App]\n', '1:7+5 unknown-kind', /a list/],
    [WEB.replace('port: 3000', 'port: 0'), '5:7+1 out-of-range', /at least 1, not 0/],
    [WEB.replace('port: 3000', 'port: 70000'), '5:7+5 out-of-range', /at most 65535/],
    [
      WEB.replace('port: 3000', 'port: "80"'),
      '5:7+4 wrong-type',
      /whole number, not `80`: write it without quotes/,
    ],
    [WEB.replace('port: 3000\n', ''), '1:1+4 missing-key', /App needs the key `port`/],
    [WEB.replace('repo: .', 'path: x'), '3:1+6 missing-key', /`source` needs the key `repo`/],
    [WEB.replace('repo: .', 'repo: /srv/a.git'), '3:1+6 missing-key', /needs the key `ref`/],
    [
      WEB.replace('node server.js', '{a: 1}'),
      '4:16+6 wrong-type',
      /a text or a list of texts, not a mapping/,
    ],
    [WEB.replace('node server.js', '[]'), '4:16+2 out-of-range', /must not be empty/],
    [WEB.replace('node server.js', '[node, 1]'), '4:23+1 wrong-type', /start_command\[1\]/],
    [WEB.replace('name: web', 'name: Web_1'), '2:7+5 wrong-format', /lower-case letters/],
    [`${WEB}on_failure: restrat\n`, '6:13+7 wrong-value', /did you mean `restart`/],
    [`${WEB}backend: docker\n`, '6:10+6 wrong-value', /must be process/],
    [`${WEB}hosts: a.example\n`, '6:8+9 wrong-type', /list item/],
    [`${WEB}hosts:\n  - A.example\n`, '7:5+9 wrong-format', /lower case/],
    [`${WEB}hosts: [a, b, a]\n`, '6:15+1 duplicate-entry', /twice/],
    [`${WEB}env:\n  A B: x\n`, '7:3+3 wrong-format', /letters, digits and underscores/],
    [`${WEB}env: {PORT: "1"}\n`, '6:7+4 reserved-env', /Mainstay itself/],
    [`${WEB}env: {MAINSTAY_X: "1"}\n`, '6:7+10 reserved-env', /Mainstay itself/],
    [`${WEB}env: {SLOT_MACHINE: "1"}\n`, '6:7+12 reserved-env', /Mainstay itself/],
    [`${WEB}env: {A: "a\\0b"}\n`, '6:10+6 control-character', /NUL/],
    [`${WEB}env: {DB_FILE: x}\nsecrets: [{name: db, file: db}]\n`, '7:18+2 duplicate-entry', /DB_FILE/],
    [`${WEB}secrets: [{name: a-b, file: x}, {name: A_B, file: y}]\n`, '6:40+3 duplicate-entry', /A_B_FILE/],
    [`${WEB}secrets: [{name: a}]\n`, '6:11+9 missing-key', /`file`/],
    [`${WEB}shared_dirs: [../x]\n`, '6:15+4 path-escapes', /leave its folder/],
    [`${WEB}shared_dirs: [.]\n`, '6:15+1 path-escapes', /whole slot/],
    [`${WEB}shared_dirs: [a, ./a/b]\n`, '6:18+5 duplicate-entry', /inside/],
    [`${WEB}shared_dirs: [/a]\n`, '6:15+2 wrong-format', /relative/],
    [`${WEB}env_file: ../x\n`, '6:11+4 path-escapes', /env_file/],
    [`${WEB}env_file: ~/x\n`, '6:11+3 path-escapes', /not expanded/],
    [WEB.replace('repo: .', 'repo: ., path: a/../..'), '3:25+7 path-escapes', /source.path/],
    [WEB.replace('repo: .', 'repo: ., path: /etc'), '3:25+4 path-escapes', /relative/],
    [`${WEB}internal_port: 3000\n`, '6:16+4 duplicate-port', /also this app's port/],
    ['kind: System\nguard: {max_stop: 2}\n', '2:19+1 out-of-range', /at most 1/],
    ['kind: System\nguard:\n  freeze: []\n', '3:3+6 not-supported-yet', /guard.freeze/],
    ['kind: System\nalerts: [{webhook: x}]\n', '2:20+1 wrong-format', /http/],
  ];
  test.each(cases)('%j', (text, expected, words) => {
    const found = parsed(text);
    expect(places(found)).toContain(expected);
    expect(found.map(({ message }) => message).join('\n')).toMatch(words);
  });

  test('every error at once, in order', () => {
    const text = 'kind: App\nname: Web\nstartCommand: x\nport: no\nenv: {PORT: 1}\n';
    expect(places(parsed(text))).toEqual([
      '1:1+4 missing-key',
      '1:1+4 missing-key',
      '2:7+3 wrong-format',
      '3:1+12 unknown-key',
      '4:7+2 wrong-type',
      '5:7+4 reserved-env',
      '5:13+1 wrong-type',
    ]);
  });

  test('a message never repeats credentials or control characters', () => {
    const found = parsed(WEB.replace('repo: .', 'repo: "https://me:s3cret@example.org/x", ref: "a\\e[31m"'));
    const said = found.map(({ message }) => message).join('\n');
    expect(said).toMatch(/credential helper/);
    expect(said).not.toContain('s3cret');
    expect(said).not.toContain('\u001B');
  });
});

describe('sources', () => {
  const repo = (value: string): readonly string[] =>
    places(parsed(WEB.replace('{repo: .}', `{repo: ${JSON.stringify(value)}, ref: main}`))).map(
      (each) => each.split(' ')[1] ?? '',
    );

  test.each([
    '.',
    '/srv/git/app.git',
    'https://example.org/app.git',
    'http://127.0.0.1:3000/a',
    'ssh://git@example.org:22/app.git',
    'ssh://example.org/app.git',
    'git://example.org/app',
    'file:///srv/app.git',
    'git@example.org:team/app.git',
  ])('%s is accepted', (value) => {
    expect(repo(value)).toEqual([]);
  });

  test.each([
    '--upload-pack=x',
    'ext::sh -c x',
    'fd::3',
    'https://user:pass@example.org/a',
    'https://token@example.org/a',
    'ssh://git:pass@example.org/a',
    'ssh://-oProxyCommand=x/a',
    'ssh://-x@host/a',
    'git@-oProxyCommand=x:a',
    'git@example.org:-x',
    'https://',
    'https://a b/c',
    'ftp://example.org/a',
    'file://host/a',
    '../other',
    'other',
    'C:\\repo',
    '/a\nb',
  ])('%j is refused', (value) => {
    expect(repo(value)).toEqual(['bad-repo']);
  });

  const ref = (value: string): readonly string[] =>
    places(parsed(WEB.replace('{repo: .}', `{repo: ., ref: ${JSON.stringify(value)}}`))).map(
      (each) => each.split(' ')[1] ?? '',
    );

  test.each(['main', 'v1.2.3', 'feature/a-b', 'refs/heads/main', '1234567', 'HEAD', 'a@b', 'ü'])(
    'ref %s is accepted',
    (value) => {
      expect(ref(value)).toEqual([]);
    },
  );

  test.each([
    '-x',
    '--all',
    'a..b',
    'a b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[b',
    'a\\b',
    '@{1}',
    '@',
    'a//b',
    '/a',
    'a/',
    '.a',
    'a.lock',
    'a.',
    'a\u0007',
  ])('ref %j is refused', (value) => {
    expect(ref(value)).toEqual(['bad-ref']);
  });
});

describe('defaults', () => {
  const documentOf = (text: string): unknown => parseFile(file('a.yaml', text)).documents[0]?.document.value;

  test('of an App', () => {
    expect(documentOf(WEB)).toEqual({
      kind: 'App',
      name: 'web',
      source: { repo: '.', ref: null, path: '.' },
      start_command: 'node server.js',
      port: 3000,
      health_endpoint: '/healthz',
      health_timeout_ms: 10_000,
      drain_timeout_ms: 5000,
      env: {},
      secrets: [],
      shared_dirs: [],
      hosts: [],
      path_prefix: '/',
      replicas: 1,
      on_failure: 'restart',
      after: [],
      keep_previous_warm: false,
      suspend: false,
    });
  });

  test('of a System', () => {
    expect(documentOf('kind: System\nalerts: [{webhook: "http://a"}]\n')).toEqual({
      name: 'system',
      backend: 'process',
      guard: { max_stop: 0.5 },
      alerts: [
        {
          webhook: 'http://a',
          events: ['deploy-failing', 'health-timeout', 'crash-loop', 'unit-held', 'disk-pressure'],
        },
      ],
    });
  });

  test('paths get one spelling', () => {
    const text = `${WEB.replace('repo: .', 'repo: ., path: ./a//b/')}path_prefix: /api//v1/\nshared_dirs: [data/]\n`;
    expect(documentOf(text)).toMatchObject({
      source: { path: 'a/b' },
      path_prefix: '/api/v1',
      shared_dirs: ['data'],
    });
  });
});
