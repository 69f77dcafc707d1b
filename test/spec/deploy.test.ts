/** What can be deployed and how: names of commits, setup, failures that leave everything as it was, the journal. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openGate } from '../support/gate.ts';
import { openStage } from '../support/stage.ts';
import { eventually } from '../support/wait.ts';

const LIMIT = 120_000;

interface JournalLine {
  readonly do: string;
  readonly commit: string;
  readonly trigger: string;
  readonly result: string;
}

describe('deploys', () => {
  test(
    'D18 the same commit, a short hash and a branch name are deployable; the slot is named by the commit',
    async () => {
      await using stage = await openStage();
      const b = await stage.source.commit('B');
      await stage.source.branch('release/next', b);
      const c = await stage.source.commit('C');

      const byBranch = await stage.deploy('release/next');
      expect(byBranch).toMatchObject({ status: 200, body: { success: true, commit: b } });
      expect(byBranch.body.slot).toBe(`slot-${b.slice(0, 8)}`);
      const byHash = await stage.deploy(c.slice(0, 9));
      expect(byHash).toMatchObject({ status: 200, body: { success: true, commit: c } });
      const [unit] = await stage.units();
      const again = await stage.deploy(c);
      expect(again).toMatchObject({ status: 200, body: { success: true, commit: c } });
      expect(again.body.slot).toMatch(new RegExp(`^slot-${c.slice(0, 8)}`));
      expect(await stage.text()).toBe('C');
      expect(unit).toBeDefined();
      expect((await stage.disk()).folders.length).toBeLessThanOrEqual(3);
    },
    LIMIT,
  );

  test(
    'a followed branch is deployed when it moves, and noted (D26)',
    async () => {
      await using stage = await openStage();
      await stage.pushApp({ source: { repo: stage.source.dir, ref: 'main' } });
      expect(await stage.text()).toBe('A');
      const b = await stage.source.commit('B');
      await stage.serves('B', 20_000);
      expect(await stage.status()).toMatchObject({ live_commit: b, previous_commit: stage.first });
    },
    LIMIT,
  );

  test(
    'D19 an unknown or missing commit is a 400, leaves staging clean, and the next deploy works',
    async () => {
      await using stage = await openStage();
      const before = await eventually('staging is laid', async () => {
        const disk = await stage.disk();
        return disk.folders.length === 2 ? disk : null;
      });
      const head = await stage.intent.git('ls-remote', 'origin', 'refs/heads/main');
      for (const commit of [
        'f'.repeat(40),
        'no-such-branch',
        '--upload-pack=touch x',
        'HEAD~1000',
        '',
        ' ',
        '../x',
      ]) {
        const answer = await stage.deploy(commit);
        expect(answer.status, `${commit}: ${JSON.stringify(answer.body)}`).toBe(400);
        expect(answer.body).toMatchObject({ code: expect.any(String), message: expect.any(String) });
      }
      expect((await stage.mainstay.api('POST', '/deploy?app=web', {})).status).toBe(400);
      expect((await stage.mainstay.api('POST', '/deploy?app=web')).status).toBe(400);
      expect((await stage.mainstay.api('POST', '/deploy?app=nobody', { commit: stage.first })).status).toBe(
        404,
      );
      expect(await stage.disk()).toEqual(before);
      expect(await stage.intent.git('ls-remote', 'origin', 'refs/heads/main')).toBe(head);
      const b = await stage.source.commit('B');
      expect((await stage.deploy(b)).body.success).toBe(true);
    },
    LIMIT,
  );

  test(
    'a deploy that is asked for tries again what a push has just failed with',
    async () => {
      await using stage = await openStage();
      await stage.pushApp({
        source: { repo: stage.source.dir, ref: 'main' },
        setup_command: 'echo why it failed >&2; exit 5',
      });
      const again = await stage.deploy(stage.first);
      expect(again.status).toBe(500);
      expect(JSON.stringify(again.body)).toContain('why it failed');
    },
    LIMIT,
  );

  test(
    'D10 setup_command runs in the slot before the start; its failure is a 500 with its output and no start',
    async () => {
      await using stage = await openStage({
        app: { setup_command: 'sh ./setup.sh', start_command: 'sh ./start.sh' },
        version: null,
      });
      const startSh = 'test -f built || exit 4\nexec node server.js\n';
      const good = await stage.source.commit('good', { 'setup.sh': 'pwd > built\n', 'start.sh': startSh });
      const push = await stage.pushApp({ source: { repo: stage.source.dir, ref: good } });
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      expect(await stage.text()).toBe('good');
      expect((await stage.get('/file?path=built')).text.trim()).toContain((await stage.status()).live_slot);
      const bad = await stage.source.commit('bad', {
        'setup.sh': 'echo out-line\necho the reason >&2\nexit 5\n',
      });
      const answer = await stage.deploy(bad);
      expect(answer.status).toBe(500);
      expect(JSON.stringify(answer.body)).toContain('the reason');
      expect(JSON.stringify(answer.body)).toMatch(/setup/);
      expect(await stage.text()).toBe('good');
      expect(await stage.units()).toHaveLength(1);
      const missing = await stage.source.commit('missing', {
        'setup.sh': 'touch built\n',
        'start.sh': 'exec no-such-program\n',
      });
      const unstartable = await stage.deploy(missing);
      expect(unstartable.body.success ?? false).toBe(false);
      expect(JSON.stringify(unstartable.body)).toMatch(/no-such-program|not found|127/);
      expect(await stage.text()).toBe('good');
    },
    LIMIT,
  );

  test(
    'D17 what a build leaves beside the sources is carried into staging for the next one',
    async () => {
      await using stage = await openStage({
        app: { setup_command: 'mkdir -p node_modules/x && echo built >> node_modules/x/count' },
      });
      const { staging_dir } = await stage.status();
      await eventually('staging holds the artefacts', () =>
        existsSync(join(staging_dir, 'node_modules/x/count')),
      );
      const b = await stage.source.commit('B', { 'only-in-b': 'yes' });
      await stage.deploy(b);
      expect((await stage.get('/file?path=node_modules/x/count')).text).toBe('built\nbuilt\n');
      await stage.source.commit('C');
      await stage.intent.git('--version');
      const c = await commitWithout(stage.source.dir, 'only-in-b');
      await stage.deploy(c);
      expect((await stage.get('/file?path=only-in-b')).status).toBe(404);
      expect((await stage.get('/file?path=node_modules/x/count')).text).toBe('built\nbuilt\nbuilt\n');
    },
    LIMIT,
  );

  test(
    'D20 when a version fails right after its health check, the previous one can still be rolled back to',
    async () => {
      await using stage = await openStage({ app: { on_failure: 'hold' } });
      const b = await stage.source.commit('B');
      await stage.deploy(b);
      const dying = await stage.source.commit({ text: 'dying', die_after_health: true });
      const answer = await stage.deploy(dying);
      const status = await stage.status();
      if (answer.body.success) {
        expect(status).toMatchObject({ live_commit: dying, previous_commit: b });
        expect(await stage.rollback()).toMatchObject({ status: 200, body: { success: true, commit: b } });
      } else {
        expect(status).toMatchObject({ live_commit: b, previous_commit: stage.first });
        expect(await stage.text()).toBe('B');
        expect(await stage.rollback()).toMatchObject({
          status: 200,
          body: { success: true, commit: stage.first },
        });
      }
      expect((await stage.status()).healthy).toBe(true);
    },
    LIMIT,
  );

  test(
    'D20 kill -9 of the daemon right after the health check: the previous version can still be rolled back to',
    async () => {
      await using gate = await openGate();
      await using stage = await openStage();
      const b = await stage.source.commit('B');
      await stage.deploy(b);
      const c = await stage.source.commit({ text: 'C', gates: { health: gate.url('health') } });
      gate.shut('health');
      const deploying = stage.deploy(c).catch(() => null);
      await gate.reached('health');
      gate.open('health');
      await stage.mainstay.kill9();
      await deploying;
      expect(['B', 'C']).toContain(await stage.text());
      await stage.mainstay.start();
      await stage.serves('C', 15_000);
      const status = await eventually('C is live and B is previous', async () => {
        const now = await stage.status();
        return now.live_commit === c && now.state === 'converged' ? now : null;
      });
      expect(status.previous_commit).toBe(b);
      expect(await stage.rollback()).toMatchObject({ status: 200, body: { success: true, commit: b } });
      expect(await stage.text()).toBe('B');
    },
    LIMIT,
  );

  test(
    'D28 the journal has every attempt with its trigger and result, and only ever grows',
    async () => {
      await using stage = await openStage({ app: { health_timeout_ms: 500 } });
      const b = await stage.source.commit('B');
      const bad = await stage.source.commit({ text: 'bad', exit_at_boot: 2 });
      const file = join((await stage.disk()).dir, 'journal.ndjson');
      const texts = [await readFile(file, 'utf8')];
      const grown = async (): Promise<void> => {
        texts.push(await readFile(file, 'utf8'));
      };
      await stage.deploy(b);
      await grown();
      await stage.deploy(bad);
      await grown();
      await stage.rollback();
      await grown();
      await stage.intent.pull();
      await stage.pushApp({ env: { X: '1' }, source: { repo: stage.source.dir, ref: b } });
      await grown();
      for (let n = 1; n < texts.length; n++) expect(texts[n]?.startsWith(texts[n - 1] ?? '?')).toBe(true);
      const lines = (texts.at(-1) ?? '')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as JournalLine);
      const brief = lines.map((line) => [line.commit, line.trigger, line.result, line.do]);
      expect(brief).toEqual([
        [stage.first, 'push', 'promoted', 'deploy'],
        [b, 'api', 'promoted', 'deploy'],
        [bad, 'api', 'failed', 'deploy'],
        [stage.first, 'api', 'promoted', 'rollback'],
        [b, 'push', 'promoted', expect.any(String)],
      ]);
      const answer = await stage.mainstay.api('GET', '/v1/apps/web/journal');
      expect(answer.status).toBe(200);
      expect(answer.json<{ items: unknown[] }>().items).toHaveLength(5);
    },
    LIMIT,
  );
});

async function commitWithout(dir: string, path: string): Promise<string> {
  const { git } = await import('../support/git.ts');
  await git(dir, ['rm', '-q', '-f', path]);
  await git(dir, ['commit', '-q', '-m', `without ${path}`]);
  return git(dir, ['rev-parse', 'HEAD']);
}
