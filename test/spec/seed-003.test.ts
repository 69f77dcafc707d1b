/** Seed 003: the eight scenarios that its author published, against the real daemon through its HTTP API. */
import { describe, expect, test } from 'vitest';
import { join } from 'node:path';
import { openGate } from '../support/gate.ts';
import { isAlive } from '../support/processes.ts';
import { appEvents, openStage } from '../support/stage.ts';
import { eventually } from '../support/wait.ts';

const LIMIT = 120_000;

describe('seed 003', () => {
  test(
    'scenario 1, D01 a healthy commit is deployed and gets the traffic',
    async () => {
      await using stage = await openStage();
      expect(await stage.text()).toBe('A');
      const b = await stage.source.commit('B');
      const answer = await stage.deploy(b);
      expect(answer).toMatchObject({
        status: 200,
        body: { success: true, commit: b, previous_commit: stage.first },
      });
      expect(answer.body.slot).toContain(b.slice(0, 8));
      expect(await stage.text()).toBe('B');
      expect(await stage.status()).toMatchObject({
        live_slot: answer.body.slot,
        live_commit: b,
        previous_commit: stage.first,
        healthy: true,
      });
      expect(Date.parse((await stage.status()).last_deploy_time)).toBeGreaterThan(Date.now() - 60_000);
    },
    LIMIT,
  );

  test(
    'scenario 2, D02 an unhealthy version never gets traffic and is ended',
    async () => {
      await using stage = await openStage({ app: { health_timeout_ms: 700 } });
      const bad = await stage.source.commit({ text: 'bad', health: 503, prints: ['bad says hello'] });
      const [before] = await stage.units();
      const answer = await stage.deploy(bad);
      expect(answer.status).toBe(200);
      expect(answer.body.success).toBe(false);
      expect(answer.body.reason).toMatch(/health|503/i);
      expect(JSON.stringify(answer.body.log_tail)).toContain('bad says hello');
      expect(await stage.text()).toBe('A');
      expect(await stage.status()).toMatchObject({
        live_commit: stage.first,
        previous_commit: '',
        healthy: true,
      });
      const left = await eventually('only the old version runs', async () => {
        const units = await stage.units();
        return units.length === 1 ? units : null;
      });
      expect(left[0]?.pid).toBe(before?.pid);
    },
    LIMIT,
  );

  test(
    'scenario 2, D02 a failed first deploy leaves live_commit empty',
    async () => {
      await using stage = await openStage({
        version: { text: 'bad', exit_at_boot: 3 },
        app: { health_timeout_ms: 800 },
      });
      const status = await stage.status();
      expect(status).toMatchObject({ live_commit: '', previous_commit: '', healthy: false });
      const answer = await stage.get();
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toMatch(/^\d+$/);
      const good = await stage.source.commit('good');
      expect((await stage.deploy(good)).body.success).toBe(true);
      expect(await stage.text()).toBe('good');
    },
    LIMIT,
  );

  test(
    'scenario 3, D03 a rollback puts the previous commit live again',
    async () => {
      await using stage = await openStage();
      const b = await stage.source.commit('B');
      await stage.deploy(b);
      const answer = await stage.rollback();
      expect(answer).toMatchObject({ status: 200, body: { success: true, commit: stage.first } });
      expect(await stage.text()).toBe('A');
      expect(await stage.status()).toMatchObject({
        live_slot: answer.body.slot,
        live_commit: stage.first,
        previous_commit: b,
      });
      const again = await stage.deploy(b);
      expect(again.body.success).toBe(true);
      expect(await stage.text()).toBe('B');
    },
    LIMIT,
  );

  test(
    'scenario 4, D04 exactly one previous slot is kept',
    async () => {
      await using stage = await openStage();
      const b = await stage.source.commit('B');
      const c = await stage.source.commit('C');
      await stage.deploy(b);
      await stage.deploy(c);
      const status = await stage.status();
      expect(status).toMatchObject({ live_commit: c, previous_commit: b });
      const disk = await eventually('live, previous and staging are all that is on disk', async () => {
        const found = await stage.disk();
        return found.folders.length === 3 ? found : null;
      });
      expect(disk.folders).toEqual(expect.arrayContaining([status.live_slot, status.previous_slot]));
      expect(disk.links).toEqual({ live: status.live_slot, prev: status.previous_slot });
      await stage.deploy(b);
      await eventually(
        'still exactly one previous slot',
        async () => (await stage.disk()).folders.length === 3,
      );
      expect(await stage.status()).toMatchObject({ live_commit: b, previous_commit: c });
    },
    LIMIT,
  );

  test(
    'scenario 5, D05 a rollback without a previous slot is an error',
    async () => {
      await using stage = await openStage();
      const answer = await stage.rollback();
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({
        code: expect.any(String),
        message: expect.stringMatching(/previous/),
      });
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );

  test(
    'scenario 6, D06 a second deploy is refused while the first boots',
    async () => {
      await using gate = await openGate();
      await using stage = await openStage();
      const b = await stage.source.commit({ text: 'B', gates: { boot: gate.url('boot') } });
      const c = await stage.source.commit('C');
      gate.shut('boot');
      const firstDeploy = stage.deploy(b);
      await gate.reached('boot');
      const second = await stage.deploy(c);
      expect(second.status).toBe(409);
      expect((await stage.rollback()).status).toBe(409);
      gate.open('boot');
      expect(await firstDeploy).toMatchObject({ status: 200, body: { success: true, commit: b } });
      expect(await stage.text()).toBe('B');
      expect((await stage.deploy(c)).body.success).toBe(true);
    },
    LIMIT,
  );

  test(
    'scenario 7, D07 a crash shows in healthy within 500 ms',
    async () => {
      await using stage = await openStage({ app: { on_failure: 'hold' } });
      expect((await stage.status()).healthy).toBe(true);
      await stage.get('/crash');
      await eventually('the process is gone', async () => (await stage.units()).length === 0);
      const from = Date.now();
      await eventually('healthy is false', async () => !(await stage.status()).healthy, 2_000);
      expect(Date.now() - from).toBeLessThan(500);
      const answer = await stage.get();
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    },
    LIMIT,
  );

  test(
    'scenario 8, D08 an app that ignores SIGTERM is killed at drain_timeout',
    async () => {
      const drain = 800;
      await using stage = await openStage({
        version: { text: 'A', stubborn: true },
        app: { drain_timeout_ms: drain },
      });
      const events = join(stage.mainstay.root, 'events');
      await stage.pushApp({ env: { EVENTS_FILE: events } });
      const old = Number((await stage.get('/pid')).text);
      const b = await stage.source.commit('B');
      const answer = await stage.deploy(b);
      expect(answer.body.success).toBe(true);
      const term = await eventually('the old version is told to end', async () =>
        (await appEvents(events)).find((one) => one.what === 'term' && one.pid === old),
      );
      await eventually('the old version is killed', async () => !(await isAlive(old)), 5_000);
      const took = Date.now() - term.at;
      // 200 ms is the promise; the rest is the poll and the clock of a busy machine.
      expect(took).toBeGreaterThan(drain - 250);
      expect(took).toBeLessThan(drain + 200 + 100);
      expect(await stage.text()).toBe('B');
    },
    LIMIT,
  );
});
