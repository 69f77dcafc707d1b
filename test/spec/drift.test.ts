/** What is stopped or changed by hand is seen, said and repaired, or held as declared. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readEvents, type SseReader } from '../support/http-client.ts';
import { killNow } from '../support/processes.ts';
import { openStage, type Stage } from '../support/stage.ts';
import { eventually } from '../support/wait.ts';

const LIMIT = 120_000;

interface SeenEvent {
  readonly id: number;
  readonly type: string;
  readonly unit?: string;
  readonly message: string;
}

const listen = (stage: Stage): Promise<SseReader> =>
  readEvents(`${stage.mainstay.url}/v1/events`, { authorization: `Bearer ${stage.mainstay.token}` });

const seen = (reader: SseReader): readonly SeenEvent[] =>
  reader.messages
    .filter((message) => message.data.startsWith('{'))
    .map((message) => JSON.parse(message.data) as SeenEvent);

describe('drift', () => {
  test(
    'G14, A23 a process that was killed by hand is reported with its cause, then started again',
    async () => {
      await using stage = await openStage();
      const reader = await listen(stage);
      const [unit] = await stage.units();
      killNow(unit?.pid ?? 0);
      await eventually('the app serves again', async () => {
        const answer = await stage.get('/pid');
        return answer.status === 200 && answer.text !== String(unit?.pid);
      });
      const events = await eventually('the restart is reported', () => {
        const all = seen(reader).filter((event) => event.unit === 'web' || event.message.includes('web'));
        return all.some((event) => /restart/.test(`${event.type} ${event.message}`)) ? all : null;
      });
      const found = events.findIndex((event) => /SIGKILL|killed|ended|exited/i.test(event.message));
      const repaired = events.findIndex((event) => /restart/.test(`${event.type} ${event.message}`));
      expect(found).toBeGreaterThanOrEqual(0);
      expect(found).toBeLessThanOrEqual(repaired);
      reader.close();
    },
    LIMIT,
  );

  test(
    'G14 with on_failure hold it is left and said, until intent changes',
    async () => {
      await using stage = await openStage({ app: { on_failure: 'hold' } });
      const [unit] = await stage.units();
      killNow(unit?.pid ?? 0);
      await eventually('it is held', async () => (await stage.status()).state === 'held');
      expect(await stage.units()).toHaveLength(0);
      const status = await stage.mainstay.cli(['status', '--json']);
      expect(status.stdout).toMatch(/held/);
      expect((await stage.status()).reason).toMatch(/SIGKILL|killed|ended|exit/i);
      const push = await stage.pushApp({ env: { FIXED: '1' } });
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );

  test(
    'G14 what ended while the daemon was down is seen and repaired when it comes back',
    async () => {
      await using stage = await openStage();
      await stage.mainstay.kill9();
      const [unit] = await stage.units();
      killNow(unit?.pid ?? 0);
      await stage.mainstay.start();
      await stage.serves('A');
      const status = await stage.mainstay.cli(['why', 'web']);
      expect(status.stdout).toMatch(/ended|exit|restart|gone/i);
    },
    LIMIT,
  );

  test(
    'G14 a killed proxy is back within a second and serves the same table',
    async () => {
      await using stage = await openStage();
      const proxy = await stage.mainstay.proxy();
      expect(proxy).toBeDefined();
      killNow(proxy?.pid ?? 0);
      await eventually(
        'the old proxy is gone',
        async () => (await stage.mainstay.proxy())?.pid !== proxy?.pid,
      );
      const from = Date.now();
      await stage.serves('A', 5_000);
      expect(Date.now() - from).toBeLessThan(1_500);
    },
    LIMIT,
  );

  test(
    'G14 a slot folder that was removed by hand does not stop the app from being repaired',
    async () => {
      await using stage = await openStage();
      const status = await stage.status();
      const [unit] = await stage.units();
      await rm(join(status.staging_dir, '..', status.live_slot), { recursive: true });
      killNow(unit?.pid ?? 0);
      await eventually(
        'the app serves again',
        async () => {
          const answer = await stage.get('/pid');
          return answer.status === 200 && answer.text !== String(unit?.pid);
        },
        15_000,
      );
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );

  test(
    'A20 a refusal is in the status with its reason and commit',
    async () => {
      await using stage = await openStage({ app: { health_timeout_ms: 500 } });
      const bad = await stage.source.commit({ text: 'bad', health: 418 });
      const push = await stage.pushApp({ source: { repo: stage.source.dir, ref: bad } });
      const status = JSON.parse((await stage.mainstay.cli(['status', '--json'])).stdout) as Record<
        string,
        unknown
      >;
      expect(JSON.stringify(status)).toContain(push.commit);
      expect(JSON.stringify(status)).toMatch(/418|health/);
      expect(status['state']).toMatch(/failed|held/);
      const answer = await stage.status();
      expect(answer.state).toBe('held');
      expect(answer.reason).toMatch(/418|health/);
    },
    LIMIT,
  );

  test(
    'what runs beside Mainstay and is not its own is never touched',
    async () => {
      await using stage = await openStage();
      const stranger = stage.mainstay.startCli(['version']);
      await stranger.done;
      const { start } = await import('../support/run-command.ts');
      const foreign = start('sleep', ['600'], {
        cwd: join(stage.mainstay.root, 'tmp'),
        env: { PATH: process.env['PATH'] ?? '' },
      });
      await stage.mainstay.kill9();
      await stage.mainstay.start();
      await stage.pushApp({ env: { X: '2' } });
      expect((await stage.mainstay.processes()).some((one) => one.pid === foreign.pid)).toBe(true);
      foreign.kill();
      await foreign.done;
    },
    LIMIT,
  );
});
