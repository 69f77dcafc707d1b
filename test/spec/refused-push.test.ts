/** A wrong push is refused by stock git at the door, with every error where it is, and changes nothing. */
import { describe, expect, test } from 'vitest';
import { pidsOf } from '../support/processes.ts';
import { openStage, type Stage } from '../support/stage.ts';
import { tryGit } from '../support/git.ts';

const LIMIT = 120_000;

const head = async (stage: Stage): Promise<string> =>
  (await stage.intent.git('ls-remote', 'origin', 'refs/heads/main')).split('\t')[0] ?? '';

describe('a refused push', () => {
  test(
    'G01 shows every error with file, line, column, source line and caret, and changes nothing',
    async () => {
      await using stage = await openStage();
      const [before, pids] = [await head(stage), pidsOf(await stage.units())];
      const text = [
        'kind: App',
        'name: web',
        `source: {repo: ${stage.source.dir}, ref: ${stage.first}}`,
        'start_command: node server.js',
        `prot: ${stage.port}`,
        'health_timeout_ms: soon',
        '',
      ].join('\n');
      const other = ['kind: App', 'name: Wrong_Name', 'replicas: -1', ''].join('\n');
      const push = await stage.intent.change({ 'apps/web.yaml': text, 'apps/other.yaml': other });
      expect(push.code).toBe(1);
      expect(push.stderr).toContain('[remote rejected]');
      const said = push.said.map((line) => line.text);
      const errors = said.filter((line) => /^\S+\.yaml:\d+:\d+: error [a-z0-9-]+:? .+/.test(line));
      expect(errors.find((line) => line.startsWith('apps/web.yaml:5:1: error'))).toMatch(/prot.*port/s);
      expect(errors.some((line) => line.startsWith('apps/web.yaml:6:20: error'))).toBe(true);
      expect(errors.some((line) => line.startsWith('apps/other.yaml:2:7: error'))).toBe(true);
      expect(errors.some((line) => line.startsWith('apps/other.yaml:3:11: error'))).toBe(true);
      expect(said.some((line) => line.includes('health_timeout_ms: soon'))).toBe(true);
      const source = push.stderr.split('\n').findIndex((line) => line.includes('health_timeout_ms: soon'));
      expect(push.stderr.split('\n')[source + 1]).toMatch(/^remote:.*\^/);
      expect(await head(stage)).toBe(before);
      expect(pidsOf(await stage.units())).toEqual(pids);
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );

  test(
    'A19 broken YAML names file, line and column, and what ran goes on',
    async () => {
      await using stage = await openStage();
      const push = await stage.intent.change({ 'apps/web.yaml': 'kind: App\nname: web\nport: [1,\n' });
      expect(push.code).toBe(1);
      expect(push.said.some((line) => /^apps\/web\.yaml:\d+:\d+: error /.test(line.text))).toBe(true);
      expect(await stage.text()).toBe('A');
      expect((await stage.mainstay.cli(['status'])).stdout).toContain('web');
    },
    LIMIT,
  );

  test(
    'A19 references that lead nowhere and two documents that clash are refused together',
    async () => {
      await using stage = await openStage();
      const other = stage.doc({ name: 'other', after: ['nobody'] });
      const third = stage.doc({ name: 'third', source: { repo: stage.source.dir, ref: 'no-such-branch' } });
      const push = await stage.intent.change({ 'apps/other.yaml': other, 'apps/third.yaml': third });
      expect(push.code).toBe(1);
      const text = push.said.map((line) => line.text).join('\n');
      expect(text).toMatch(/nobody/);
      expect(text).toMatch(new RegExp(`${stage.port}`));
      await stage.intent.git('reset', '-q', '--hard', 'HEAD~1');
      const nowhere = await stage.pushApp({ source: { repo: `${stage.source.dir}-none`, ref: 'main' } });
      expect(nowhere.code).toBe(1);
      expect(nowhere.stderr).toMatch(/apps\/web\.yaml:\d+:\d+: error source-unreachable/);
    },
    LIMIT,
  );

  test(
    'kinds and keys of later times are refused by name, never ignored',
    async () => {
      await using stage = await openStage();
      const pool = await stage.intent.change({ 'pools/p.yaml': 'kind: Pool\nname: p\ncommand: ./run\n' });
      expect(pool.code).toBe(1);
      expect(pool.stderr).toMatch(/pools\/p\.yaml:1:7: error .*not supported yet/);
      await stage.intent.git('reset', '-q', '--hard', 'HEAD~1');
      const gate = await stage.pushApp({ protected_paths: ['x'] });
      expect(gate.code).toBe(1);
      expect(gate.stderr).toMatch(/apps\/web\.yaml:\d+:\d+: error .*not supported yet/);
    },
    LIMIT,
  );

  test(
    'the same diagnostics come from `mainstay validate`, in every format',
    async () => {
      await using stage = await openStage();
      await stage.intent.write('apps/web.yaml', 'kind: App\nname: web\nprot: 1\n');
      const text = await stage.mainstay.cli(['validate', stage.intent.dir]);
      expect(text.code).toBe(1);
      expect(text.stdout + text.stderr).toMatch(/apps\/web\.yaml:3:1: error /);
      const json = await stage.mainstay.cli(['validate', stage.intent.dir, '--format', 'json']);
      expect(json.code).toBe(1);
      expect(JSON.stringify(JSON.parse(json.stdout))).toContain('apps/web.yaml');
      const github = await stage.mainstay.cli(['validate', stage.intent.dir, '--format', 'github']);
      expect(github.stdout).toMatch(/^::error file=apps\/web\.yaml,line=3,/m);
      const sarif = await stage.mainstay.cli(['validate', stage.intent.dir, '--format', 'sarif']);
      expect(JSON.parse(sarif.stdout)).toMatchObject({ version: '2.1.0' });
      await stage.intent.write('apps/web.yaml', stage.doc());
      expect((await stage.mainstay.cli(['validate', stage.intent.dir])).code).toBe(0);
    },
    LIMIT,
  );

  test(
    'the watched branch is neither rewound nor deleted, other branches may be',
    async () => {
      await using stage = await openStage();
      const before = await head(stage);
      await stage.pushApp({ env: { X: '1' } });
      const now = await head(stage);
      const rewind = await tryGit(stage.intent.dir, [
        'push',
        '--force',
        'origin',
        `${before}:refs/heads/main`,
      ]);
      expect(rewind.code).toBe(1);
      expect(rewind.stderr).toMatch(/remote: .*(fast-forward|rewind|revert)/i);
      const gone = await tryGit(stage.intent.dir, ['push', 'origin', ':refs/heads/main']);
      expect(gone.code).toBe(1);
      expect(gone.stderr).toMatch(/remote: .*delet/i);
      expect(await head(stage)).toBe(now);
      for (const args of [
        ['HEAD:refs/heads/feature'],
        ['--force', `${before}:refs/heads/feature`],
        [':refs/heads/feature'],
      ]) {
        const ran = await tryGit(stage.intent.dir, ['push', 'origin', ...args]);
        expect(ran.code, ran.stderr).toBe(0);
      }
    },
    LIMIT,
  );

  test(
    'notes of Mainstay are not for pushing',
    async () => {
      await using stage = await openStage();
      await stage.intent.git('notes', '--ref=mainstay', 'add', '-m', 'state: converged', 'HEAD');
      const forged = await tryGit(stage.intent.dir, ['push', '--force', 'origin', 'refs/notes/mainstay']);
      expect(forged.code).toBe(1);
      expect(forged.stderr).toMatch(/remote: .*notes/i);
      const gone = await tryGit(stage.intent.dir, ['push', 'origin', ':refs/notes/mainstay']);
      expect(gone.code).toBe(1);
      await stage.intent.git('fetch', '-q', 'origin', '+refs/notes/mainstay:refs/notes/mainstay');
      expect(await stage.intent.git('notes', '--ref=mainstay', 'show', 'HEAD')).toContain('took_ms');
    },
    LIMIT,
  );
});
