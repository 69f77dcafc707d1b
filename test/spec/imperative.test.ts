/** Imperative calls are commits that a person can read, and `why` explains what was done. */
import { describe, expect, test } from 'vitest';
import { openStage, type Stage } from '../support/stage.ts';
import { killNow } from '../support/processes.ts';
import { eventually } from '../support/wait.ts';

const LIMIT = 120_000;

const yaml = (stage: Stage): string =>
  [
    '# the shop front, ask Ada before touching it',
    'kind: App   # a comment after a value',
    "name: 'web'",
    'source:',
    `    repo:   "${stage.source.dir}"`,
    `    ref: ${stage.first}     # pinned`,
    '',
    'start_command: [node, server.js]',
    `port: ${stage.port}`,
    'env: {B: "2", A: "1"}',
    '# last line',
    '',
  ].join('\n');

describe('imperative calls', () => {
  test(
    'G12, X05 deploy, rollback and suspend are commits with author and message that keep comments and formatting',
    async () => {
      await using stage = await openStage();
      await stage.intent.change({ 'apps/web.yaml': yaml(stage) });
      const b = await stage.source.commit('B');

      const deploy = await stage.mainstay.cli(['deploy', 'web', b]);
      expect(deploy.code, deploy.stderr).toBe(0);
      expect(await stage.text()).toBe('B');
      await stage.intent.pull();
      expect(await stage.intent.read('apps/web.yaml')).toBe(yaml(stage).replace(stage.first, b));
      const [author, subject] = (await stage.intent.git('log', '-1', '--format=%an <%ae>%n%s')).split('\n');
      expect(author).toMatch(/.+ <.*>/);
      expect(subject).toMatch(/deploy.*web|web.*deploy/i);

      const rollback = await stage.mainstay.cli(['rollback', 'web']);
      expect(rollback.code, rollback.stderr).toBe(0);
      expect(await stage.text()).toBe('A');
      await stage.intent.pull();
      expect(await stage.intent.read('apps/web.yaml')).toBe(yaml(stage));
      expect(await stage.intent.git('log', '-1', '--format=%s')).toMatch(/roll ?back|back/i);

      const suspend = await stage.mainstay.cli(['suspend', 'web']);
      expect(suspend.code, suspend.stderr).toBe(0);
      await stage.intent.pull();
      expect(await stage.intent.read('apps/web.yaml')).toContain('suspend: true');
      expect(await stage.intent.read('apps/web.yaml')).toContain(
        '# the shop front, ask Ada before touching it',
      );
      const resume = await stage.mainstay.cli(['resume', 'web']);
      expect(resume.code, resume.stderr).toBe(0);
      await stage.intent.pull();
      expect(await stage.intent.read('apps/web.yaml')).not.toContain('suspend: true');
      await eventually('the last commit has converged', async () =>
        (
          await stage.mainstay.api('GET', `/v1/commits/${await stage.intent.git('rev-parse', 'HEAD')}`)
        ).text.includes('"converged"'),
      );
    },
    LIMIT,
  );

  test(
    'X05 a deploy through the API is an intent commit; a person who pushes an older clone is told to fetch',
    async () => {
      await using stage = await openStage();
      const b = await stage.source.commit('B');
      await stage.deploy(b);
      await stage.intent.write('apps/web.yaml', stage.doc({ env: { X: '1' } }));
      await stage.intent.commit('made without the deploy');
      const push = await stage.intent.push();
      expect(push.code).toBe(1);
      expect(push.stderr).toMatch(/fetch first|non-fast-forward|rejected/);
      expect(await stage.text()).toBe('B');
    },
    LIMIT,
  );

  test(
    'after a failed deploy main is back at the commit that is live',
    async () => {
      await using stage = await openStage({ app: { health_timeout_ms: 600 } });
      const bad = await stage.source.commit({ text: 'bad', health: 503 });
      expect((await stage.deploy(bad)).body.success).toBe(false);
      await stage.intent.pull();
      expect(await stage.intent.read('apps/web.yaml')).toContain(stage.first);
      expect(await stage.intent.git('log', '--format=%H')).not.toBe('');
      await stage.mainstay.kill9();
      await stage.mainstay.start();
      const journal = await stage.mainstay.api('GET', '/v1/apps/web/journal');
      expect(journal.text.split(bad).length - 1).toBeLessThanOrEqual(1);
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );

  test(
    'a suspended app is left exactly as it is until it is resumed',
    async () => {
      await using stage = await openStage();
      const b = await stage.source.commit('B');
      await stage.pushApp({ suspend: true });
      const [unit] = await stage.units();
      await stage.pushApp({ suspend: true, source: { repo: stage.source.dir, ref: b } });
      expect(await stage.text()).toBe('A');
      expect((await stage.units())[0]?.pid).toBe(unit?.pid);
      expect((await stage.mainstay.cli(['status'])).stdout).toMatch(/suspend/);
      const push = await stage.pushApp({ source: { repo: stage.source.dir, ref: b } });
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      expect(await stage.text()).toBe('B');
    },
    LIMIT,
  );

  test(
    'X07 why gives the commit, what was observed and the rule of the last action',
    async () => {
      await using stage = await openStage();
      const push = await stage.pushApp({ env: { X: '1' } });
      const changed = await stage.mainstay.cli(['why', 'web']);
      expect(changed.code, changed.stderr).toBe(0);
      expect(changed.stdout).toContain(push.commit.slice(0, 7));
      expect(changed.stdout).toMatch(/swap|env/i);
      const pid = (await stage.get('/pid')).text;
      killNow(Number(pid));
      await eventually('it runs again', async () => {
        const again = await stage.get('/pid');
        return again.status === 200 && again.text !== pid && (await stage.status()).healthy;
      });
      const restarted = await stage.mainstay.cli(['why', 'web']);
      expect(restarted.stdout).toMatch(/restart/i);
      expect(restarted.stdout).toMatch(/SIGKILL|killed|ended|exit/i);
      const json = await stage.mainstay.cli(['why', 'web', '--json']);
      expect(JSON.parse(json.stdout)).toMatchObject({
        unit: 'web',
        last_action: {
          do: 'restart',
          because: expect.any(String),
          commit: push.commit,
          observed: expect.any(String),
        },
      });
      expect((await stage.mainstay.cli(['why', 'nothing'])).code).toBe(1);
    },
    LIMIT,
  );
});
