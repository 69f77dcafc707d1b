/** Larger deaths: the machine, daemon and proxy together, helpers of an app, and a deploy that is overtaken. */
import { describe, expect, test } from 'vitest';
import { openGate } from '../support/gate.ts';
import { freePort } from '../support/free-ports.ts';
import { ask } from '../support/http-client.ts';
import { killNow, processesOf } from '../support/processes.ts';
import { openStage } from '../support/stage.ts';
import { eventually } from '../support/wait.ts';

const LIMIT = 120_000;

describe('survival', () => {
  test(
    'after everything was killed at once (a power cut) all apps are back with their versions and previous slots',
    async () => {
      await using stage = await openStage();
      const b = await stage.source.commit('B');
      await stage.deploy(b);
      const other = await freePort();
      await stage.intent.pull();
      await stage.intent.change({ 'apps/other.yaml': stage.doc({ name: 'other', port: other }) });
      for (const one of await processesOf(stage.mainstay.root)) killNow(one.pid);
      await eventually('all is dead', async () => (await stage.mainstay.processes()).length === 0);
      await stage.mainstay.start();
      await stage.serves('B');
      await eventually('the other app is back', async () => {
        return (await ask(`http://127.0.0.1:${other}/`)).text.trim() === 'A';
      });
      expect(await stage.status()).toMatchObject({
        live_commit: b,
        previous_commit: stage.first,
        healthy: true,
      });
      await eventually(
        'nothing is in progress any more',
        async () => (await stage.status()).state === 'converged',
      );
      expect(await stage.rollback()).toMatchObject({ status: 200, body: { success: true } });
      expect(await stage.text()).toBe('A');
      // Not a crash of the app's own: it does not count towards the brake.
      expect((await stage.mainstay.cli(['status', '--json'])).stdout).not.toContain('"held"');
    },
    LIMIT,
  );

  test(
    'daemon and proxy killed together: the app is taken over as it runs',
    async () => {
      await using stage = await openStage();
      const [unit] = await stage.units();
      const proxy = await stage.mainstay.proxy();
      killNow(proxy?.pid ?? 0);
      await stage.mainstay.kill9();
      await stage.mainstay.start();
      await stage.serves('A');
      expect((await stage.get('/pid')).text).toBe(String(unit?.pid));
    },
    LIMIT,
  );

  test(
    'helpers that an app starts end with it; nothing is left of a version that was replaced',
    async () => {
      await using stage = await openStage({
        version: null,
        app: { start_command: 'sh ./start.sh', drain_timeout_ms: 500 },
      });
      const script = 'sh -c "trap \'\' TERM; while :; do sleep 1; done" &\nnode server.js &\nwait\n';
      const a = await stage.source.commit('A', { 'start.sh': script });
      const push = await stage.pushApp({ source: { repo: stage.source.dir, ref: a } });
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      const before = (await stage.units()).map((unit) => unit.pid);
      expect(before.length).toBeGreaterThanOrEqual(3);
      const b = await stage.source.commit('B');
      expect((await stage.deploy(b)).body.success).toBe(true);
      await eventually('the whole group of A is gone', async () =>
        (await stage.units()).every((unit) => unit.env['MAINSTAY_COMMIT'] === b),
      );
      expect((await stage.mainstay.cli(['shutdown'])).code).toBe(0);
      await eventually('nothing is left', async () => (await stage.mainstay.processes()).length === 0);
    },
    LIMIT,
  );

  test(
    'a deploy that a newer push overtakes is answered as refused, and the push wins',
    async () => {
      await using gate = await openGate();
      await using stage = await openStage();
      const stuck = await stage.source.commit({ text: 'stuck', gates: { boot: gate.url('boot') } });
      const c = await stage.source.commit('C');
      gate.shut('boot');
      const deploying = stage.deploy(stuck);
      await gate.reached('boot');
      await stage.intent.pull();
      const push = await stage.pushApp({ source: { repo: stage.source.dir, ref: c } });
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      const answer = await deploying;
      gate.open('boot');
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        success: false,
        reason: expect.stringMatching(/newer|superseded|no longer/),
      });
      expect(await stage.text()).toBe('C');
      expect(await stage.intent.pull()).toBe(push.commit);
      await eventually('the stuck version is gone', async () => (await stage.units()).length === 1);
    },
    LIMIT,
  );

  test(
    'after a failed deploy a rollback goes to the previous commit that the status shows',
    async () => {
      await using stage = await openStage({ app: { health_timeout_ms: 600 } });
      const b = await stage.source.commit('B');
      await stage.deploy(b);
      const bad = await stage.source.commit({ text: 'bad', health: 500 });
      expect((await stage.deploy(bad)).body.success).toBe(false);
      const { previous_commit: previous } = await stage.status();
      expect(previous).toBe(stage.first);
      expect(await stage.rollback()).toMatchObject({
        status: 200,
        body: { success: true, commit: previous },
      });
      expect(await stage.text()).toBe('A');
      expect(await stage.status()).toMatchObject({ live_commit: stage.first, previous_commit: b });
    },
    LIMIT,
  );

  test(
    'an app whose port changes moves without a restart; the old port is closed',
    async () => {
      await using stage = await openStage();
      const pid = (await stage.get('/pid')).text;
      const port = await freePort();
      const push = await stage.pushApp({ port });
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      expect((await ask(`http://127.0.0.1:${port}/pid`)).text).toBe(pid);
      await expect(stage.get()).rejects.toThrow(/ECONNREFUSED/);
    },
    LIMIT,
  );
});
