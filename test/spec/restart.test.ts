/** The daemon's own end: what goes on, what is taken over, and what a kill at any moment leaves behind. */
import { randomInt } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openGate } from '../support/gate.ts';
import { startLoad } from '../support/load.ts';
import { expectNothingLeft } from '../support/mainstay.ts';
import { openStage, type Stage } from '../support/stage.ts';
import { eventually } from '../support/wait.ts';

const LIMIT = 120_000;

/** Exactly one live version, that the disk, the status and the traffic agree on. */
async function expectConsistent(stage: Stage, wanted: string): Promise<void> {
  await eventually(
    'the wanted version is live and everything agrees',
    async () => {
      const status = await stage.status();
      if (status.live_commit !== wanted || status.state !== 'converged' || !status.healthy) {
        throw new Error(JSON.stringify(status));
      }
      const units = await stage.units();
      if (units.length !== 1)
        throw new Error(`${units.length} processes: ${units.map((u) => u.env['MAINSTAY_SLOT']).join(' ')}`);
      const disk = await stage.disk();
      const staging = status.staging_dir.split('/').at(-1) ?? '';
      const expected = [status.live_slot, status.previous_slot].filter((name) => name !== '').sort();
      // Staging may be laid later, in its own time.
      if (JSON.stringify(disk.folders.filter((name) => name !== staging)) !== JSON.stringify(expected))
        throw new Error(`${disk.folders.join(' ')} not ${expected.join(' ')}`);
      const links = {
        live: status.live_slot,
        ...(status.previous_slot === '' ? {} : { prev: status.previous_slot }),
      };
      expect(disk.links).toEqual(links);
      return true;
    },
    15_000,
  );
}

describe('restart', () => {
  test(
    'D15 after kill -9 and restart the same commits are live and previous, and no process was restarted',
    async () => {
      await using stage = await openStage();
      const b = await stage.source.commit('B');
      await stage.deploy(b);
      const [before, pid, load] = [
        await stage.status(),
        (await stage.get('/pid')).text,
        startLoad(stage.port, { connections: 2 }),
      ];
      const noteBefore = await stage.mainstay.api('GET', '/v1/commits/HEAD');
      await stage.mainstay.kill9();
      expect(await stage.text()).toBe('B');
      await stage.mainstay.start();
      await expectConsistent(stage, b);
      const after = await stage.status();
      expect(after).toMatchObject({
        live_slot: before.live_slot,
        previous_commit: before.previous_commit,
        last_deploy_time: before.last_deploy_time,
      });
      expect((await stage.get('/pid')).text).toBe(pid);
      const noteAfter = await stage.mainstay.api('GET', '/v1/commits/HEAD');
      expect(noteAfter.json()).toEqual(noteBefore.json());
      expect((await load.stop()).failures).toEqual([]);
      expect((await stage.rollback()).body.success).toBe(true);
    },
    LIMIT,
  );

  test(
    'D11 plain SIGTERM ends the daemon alone, every unit goes on serving',
    async () => {
      await using stage = await openStage();
      const [unit] = await stage.units();
      expect(await stage.mainstay.end('SIGTERM')).toBe(0);
      expect(await stage.text()).toBe('A');
      expect((await stage.get('/pid')).text).toBe(String(unit?.pid));
      await stage.mainstay.start();
      expect(await stage.mainstay.end('SIGINT')).toBe(0);
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );

  test(
    'D11 mainstay shutdown drains and stops everything; nothing is left',
    async () => {
      await using stage = await openStage();
      const slow = stage.get('/slow?ms=700');
      const shutdown = await stage.mainstay.cli(['shutdown']);
      expect(shutdown.code, shutdown.stderr).toBe(0);
      expect((await slow).text).toBe('begin end of A');
      await expectNothingLeft(stage.mainstay);
      await stage.mainstay.start();
      await stage.serves('A');
    },
    LIMIT,
  );

  test(
    'D11 SIGTERM with --drain-on-exit drains and stops everything',
    async () => {
      await using stage = await openStage({
        version: { text: 'A', stubborn: true },
        flags: ['--drain-on-exit'],
        app: { drain_timeout_ms: 500 },
      });
      expect(await stage.mainstay.end('SIGTERM')).toBe(0);
      await expectNothingLeft(stage.mainstay);
    },
    LIMIT,
  );

  // The steps of a deploy at which a program of ours is asked, so that the kill lands exactly there.
  for (const step of ['setup', 'boot', 'health', 'term'] as const) {
    test(
      `D16 kill -9 at ${step}: after a restart exactly one version is live and nothing is left over`,
      async () => {
        await using gate = await openGate();
        await using stage = await openStage({
          version: { text: 'A', gates: { term: gate.url('term') } },
          app: { setup_command: `node setup.js ${gate.url('setup')}` },
        });
        const b = await stage.source.commit({
          text: 'B',
          gates: { boot: gate.url('boot'), health: gate.url('health') },
        });
        const load = startLoad(stage.port, { connections: 2, pauseMs: 10 });
        const asked = gate.count(step);
        gate.shut(step);
        const deploying = stage.deploy(b).catch(() => null);
        await gate.reached(step, asked + 1);
        await stage.mainstay.kill9();
        gate.open(step);
        await deploying;
        await stage.mainstay.start();
        await expectConsistent(stage, b);
        expect((await load.stop()).failures).toEqual([]);
      },
      LIMIT,
    );
  }

  test(
    'D16 kill -9 at random moments of 12 deploys: always consistent, no failed request',
    async () => {
      await using stage = await openStage({ app: { setup_command: 'true' } });
      const versions = [stage.first, await stage.source.commit('B'), await stage.source.commit('C')];
      const load = startLoad(stage.port, { connections: 2, pauseMs: 10 });
      for (let n = 1; n <= 12; n++) {
        const wanted = versions[n % versions.length] ?? '';
        const deploying = stage.deploy(wanted).catch(() => null);
        await delay(randomInt(n * 30));
        await stage.mainstay.kill9();
        await deploying;
        await stage.mainstay.start();
        await stage.intent.pull();
        const text = await stage.intent.read('apps/web.yaml');
        const now = versions.find((commit) => text.includes(commit)) ?? '';
        await expectConsistent(stage, now);
      }
      expect((await load.stop()).failures).toEqual([]);
    },
    LIMIT,
  );

  test(
    'without its records a daemon has its history from the notes, and restarts nothing',
    async () => {
      await using stage = await openStage();
      const b = await stage.source.commit('B');
      await stage.pushApp({ source: { repo: stage.source.dir, ref: b } });
      const before = JSON.parse((await stage.mainstay.cli(['history', '--json'])).stdout) as unknown;
      const [unit] = await stage.units();
      await stage.mainstay.end('SIGTERM');
      for (const name of ['state.db', 'state.db-wal', 'state.db-shm'])
        rmSync(join(stage.mainstay.data, name), { force: true });
      await stage.mainstay.start();
      await expectConsistent(stage, b);
      expect((await stage.units()).map(({ pid }) => pid)).toEqual([unit?.pid]);
      const after = JSON.parse((await stage.mainstay.cli(['history', '--json'])).stdout) as unknown;
      expect(after).toEqual(before);
    },
    LIMIT,
  );

  test(
    'a second daemon on the same data refuses to start',
    async () => {
      await using stage = await openStage();
      const second = await stage.mainstay.cli(
        ['serve', '--data', stage.mainstay.data, '--listen', '127.0.0.1:0', '--nats', 'off'],
        {
          limitMs: 8_000,
        },
      );
      expect(second.code).not.toBe(0);
      expect(second.code).not.toBeNull();
      expect(second.stderr + second.stdout).toMatch(/already|running|in use|lock/i);
      expect(await stage.text()).toBe('A');
      expect(existsSync(`${stage.mainstay.data}/daemon.json`)).toBe(true);
    },
    LIMIT,
  );
});
