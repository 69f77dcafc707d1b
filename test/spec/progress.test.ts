/** What the pusher sees while it happens, who waits for what, and what supersedes what. */
import { describe, expect, test } from 'vitest';
import { openGate } from '../support/gate.ts';
import { remoteLines } from '../support/git.ts';
import { openStage, type Stage } from '../support/stage.ts';
import { eventually } from '../support/wait.ts';

const LIMIT = 120_000;

const commitState = async (stage: Stage, commit: string): Promise<string> =>
  (await stage.mainstay.api('GET', `/v1/commits/${commit}`)).json<{ state: string }>().state;

const note = async (stage: Stage, commit: string): Promise<string> => {
  await stage.intent.git('fetch', '-q', 'origin', '+refs/notes/mainstay:refs/notes/mainstay');
  return stage.intent.git('notes', '--ref=mainstay', 'show', commit);
};

describe('progress', () => {
  test(
    'G02 plan, actions and verdict arrive while they happen, the note before the verdict',
    async () => {
      await using stage = await openStage();
      const slow = await stage.source.commit({ text: 'B', boot_ms: 1_200 });
      const push = await stage.pushApp({ source: { repo: stage.source.dir, ref: slow } });
      expect(push.code, push.stderr).toBe(0);
      const [firstLine, last] = [push.said[0], push.said.at(-1)];
      expect(last?.text).toMatch(
        new RegExp(`^converged ${push.commit.slice(0, 7)}[0-9a-f]* in \\d+(\\.\\d+)? (s|ms)$`),
      );
      expect(push.said.some((line) => /\bweb\b/.test(line.text) && /swap/.test(line.text))).toBe(true);
      expect((last?.at ?? 0) - (firstLine?.at ?? 0)).toBeGreaterThan(1_000);
      const moments = new Set(push.said.map((line) => Math.round(line.at / 100)));
      expect(moments.size).toBeGreaterThanOrEqual(2);
      expect(await note(stage, push.commit)).toContain('state: converged');
      expect(await stage.text()).toBe('B');
    },
    LIMIT,
  );

  test(
    'G02 a failing push says what failed and why; the ref has moved and git exits 0',
    async () => {
      await using stage = await openStage({ app: { health_timeout_ms: 600 } });
      const bad = await stage.source.commit({ text: 'bad', health: 500 });
      const push = await stage.pushApp({ source: { repo: stage.source.dir, ref: bad } });
      expect(push.code).toBe(0);
      expect(push.said.at(-1)?.text).toMatch(new RegExp(`^failed ${push.commit.slice(0, 7)}[0-9a-f]*: .+`));
      expect(push.said.at(-1)?.text).toMatch(/500|health/);
      expect(await note(stage, push.commit)).toMatch(/state: failed[^]*reason: /);
      expect((await stage.mainstay.cli(['wait', push.commit])).code).toBe(1);
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );

  test(
    'G02 killing the pusher does not stop the work',
    async () => {
      await using gate = await openGate();
      await using stage = await openStage();
      const b = await stage.source.commit({ text: 'B', gates: { boot: gate.url('boot') } });
      gate.shut('boot');
      await stage.intent.write('apps/web.yaml', stage.doc({ source: { repo: stage.source.dir, ref: b } }));
      await stage.intent.commit();
      const push = await stage.intent.startPush();
      await gate.reached('boot');
      push.kill('SIGKILL');
      await push.done;
      gate.open('boot');
      await stage.serves('B');
      await eventually(
        'the commit has converged',
        async () => (await commitState(stage, push.commit)) === 'converged',
      );
    },
    LIMIT,
  );

  test(
    'G04 the newest commit pre-empts one that is stuck, within 1 s',
    async () => {
      await using stage = await openStage({ app: { health_timeout_ms: 60_000 } });
      const stuck = await stage.source.commit({ text: 'stuck', health: 503 });
      await stage.intent.write(
        'apps/web.yaml',
        stage.doc({ source: { repo: stage.source.dir, ref: stuck } }),
      );
      await stage.intent.commit('stuck');
      const first = await stage.intent.startPush();
      await eventually('the stuck version runs', async () =>
        (await stage.units()).some((unit) => unit.env['MAINSTAY_COMMIT'] === stuck),
      );
      const fix = await stage.source.commit('fix');
      await stage.intent.write('apps/web.yaml', stage.doc({ source: { repo: stage.source.dir, ref: fix } }));
      await stage.intent.commit('fix');
      const second = await stage.intent.startPush();
      const accepted = await eventually('the fix is accepted', () => remoteLines(second)[0]);
      await eventually('the fix is being started', async () =>
        (await stage.units()).some((unit) => unit.env['MAINSTAY_COMMIT'] === fix),
      );
      expect(Date.now() - accepted.at).toBeLessThan(1_000);
      expect((await second.done).code).toBe(0);
      expect(await stage.text()).toBe('fix');
      await first.done;
      expect(first.text()).toMatch(new RegExp(`remote: failed ${first.commit}: superseded by`));
      expect(await commitState(stage, first.commit)).toBe('superseded');
      expect(await note(stage, first.commit)).toContain('state: superseded');
      const waited = await stage.mainstay.cli(['wait', first.commit]);
      expect(waited.code).toBe(0);
      expect(waited.stdout + waited.stderr).toContain(second.commit.slice(0, 7));
      await eventually('the stuck version is gone', async () => (await stage.units()).length === 1);
    },
    LIMIT,
  );

  test(
    'a failed commit is held, not tried again and again',
    async () => {
      await using stage = await openStage({ app: { health_timeout_ms: 500 } });
      const bad = await stage.source.commit({ text: 'bad', exit_at_boot: 1 });
      await stage.pushApp({ source: { repo: stage.source.dir, ref: bad } });
      const state = await stage.mainstay.cli(['status', '--json']);
      expect(state.stdout).toMatch(/held|failed/);
      await stage.mainstay.kill9();
      await stage.mainstay.start();
      const why = await stage.mainstay.cli(['why', 'web']);
      expect(why.stdout).toMatch(/exit|ended|code 1|held/i);
      expect(await stage.text()).toBe('A');
      expect(await stage.status()).toMatchObject({ live_commit: stage.first });
    },
    LIMIT,
  );

  test(
    'a version that failed or is stuck is tried again when its health settings change',
    async () => {
      await using stage = await openStage();
      const late = await stage.source.commit({ text: 'late', boot_ms: 1500 });
      const source = { repo: stage.source.dir, ref: late };
      const failed = await stage.pushApp({ source, health_timeout_ms: 300 });
      expect(failed.said.at(-1)?.text).toMatch(/^failed/);
      const passed = await stage.pushApp({ source, health_timeout_ms: 20_000 });
      expect(passed.said.at(-1)?.text).toMatch(/^converged/);
      expect(await stage.text()).toBe('late');
      const sick = await stage.source.commit({ text: 'sick', health: 503 });
      const wanted = { source: { repo: stage.source.dir, ref: sick }, health_timeout_ms: 60_000 };
      await stage.intent.write('apps/web.yaml', stage.doc(wanted));
      await stage.intent.commit('stuck');
      const stuck = await stage.intent.startPush();
      await eventually('the sick version runs', async () =>
        (await stage.units()).some((unit) => unit.env['MAINSTAY_COMMIT'] === sick),
      );
      const fixed = await stage.pushApp({ ...wanted, health_endpoint: '/pid' });
      expect(fixed.said.at(-1)?.text).toMatch(/^converged/);
      await stuck.done;
      expect(await stage.text()).toBe('sick');
    },
    LIMIT,
  );

  test(
    'G05 git revert and push put the previous version live',
    async () => {
      await using stage = await openStage();
      const b = await stage.source.commit('B');
      await stage.pushApp({ source: { repo: stage.source.dir, ref: b } });
      expect(await stage.text()).toBe('B');
      await stage.intent.git('revert', '--no-edit', 'HEAD');
      const push = await stage.intent.push();
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      expect(await stage.text()).toBe('A');
      expect(await stage.status()).toMatchObject({ live_commit: stage.first, previous_commit: b });
    },
    LIMIT,
  );

  test(
    'G05 with a warm previous slot the traffic is back in under 1 s, without a boot',
    async () => {
      await using stage = await openStage({
        version: { text: 'A', boot_ms: 1_500 },
        app: { keep_previous_warm: true },
      });
      const [old] = await stage.units();
      const b = await stage.source.commit('B');
      await stage.pushApp({ source: { repo: stage.source.dir, ref: b } });
      expect(await stage.text()).toBe('B');
      await stage.intent.git('revert', '--no-edit', 'HEAD');
      const from = Date.now();
      const push = await stage.intent.startPush();
      await stage.serves('A');
      expect(Date.now() - from).toBeLessThan(1_000);
      expect((await push.done).code).toBe(0);
      expect((await stage.get('/pid')).text).toBe(String(old?.pid));
    },
    LIMIT,
  );
});
