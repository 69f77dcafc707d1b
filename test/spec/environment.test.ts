/** What an app's process gets: environment, secrets, shared folders, ports; and what it cannot change. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePort } from '../support/free-ports.ts';
import { ask } from '../support/http-client.ts';
import { openStage, type Stage } from '../support/stage.ts';
import { eventually } from '../support/wait.ts';

const LIMIT = 120_000;

const envOf = async (stage: Stage): Promise<Record<string, string>> =>
  (await stage.get('/env')).json<Record<string, string>>();

describe('environment', () => {
  test(
    'D09 env, env_file and the injected names are visible, nothing else of the daemon is inherited',
    async () => {
      const internal = await freePort();
      await using stage = await openStage({
        version: null,
        app: { internal_port: internal, env: { FROM_ENV: 'a b "c"' }, env_file: 'app.env' },
        env: { LEAKED: 'no', MAINSTAY_TOKEN: 'no' },
      });
      const file = '# comment\nFROM_FILE=file value\nexport QUOTED="two words"\n\nEMPTY=\n';
      const a = await stage.source.commit('A', { 'app.env': file });
      const push = await stage.pushApp({ source: { repo: stage.source.dir, ref: a } });
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      const env = await envOf(stage);
      const status = await stage.status();
      expect(env).toMatchObject({
        FROM_ENV: 'a b "c"',
        FROM_FILE: 'file value',
        QUOTED: 'two words',
        EMPTY: '',
        SLOT_MACHINE: '1',
        MAINSTAY_APP: 'web',
        MAINSTAY_SLOT: status.live_slot,
        MAINSTAY_COMMIT: a,
      });
      expect(Number(env['PORT'])).toBeGreaterThan(0);
      expect(Number(env['INTERNAL_PORT'])).toBeGreaterThan(0);
      expect(env['PORT']).not.toBe(String(stage.port));
      const own = ['FROM_ENV', 'FROM_FILE', 'QUOTED', 'EMPTY', 'SLOT_MACHINE', 'PORT', 'INTERNAL_PORT'];
      const inherited = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'PWD', 'OLDPWD', 'SHLVL', '_'];
      const rest = Object.keys(env).filter(
        (name) => !own.includes(name) && !inherited.includes(name) && !name.startsWith('MAINSTAY_'),
      );
      expect(rest).toEqual([]);
      expect(env['MAINSTAY_TOKEN']).toBeUndefined();
      expect((await ask(`http://127.0.0.1:${internal}/pid`)).text).toBe((await stage.get('/pid')).text);
    },
    LIMIT,
  );

  test(
    'health is asked on PORT when nothing listens on INTERNAL_PORT',
    async () => {
      await using stage = await openStage({
        app: { internal_port: await freePort(), env: { LISTEN_INTERNAL: 'no' } },
      });
      expect(await stage.text()).toBe('A');
      expect((await stage.status()).healthy).toBe(true);
    },
    LIMIT,
  );

  test(
    'D32 the internal port is bound to 127.0.0.1 only',
    async () => {
      const internal = await freePort();
      await using _stage = await openStage({ app: { internal_port: internal } });
      await eventually(
        'it answers on loopback',
        async () => (await ask(`http://127.0.0.1:${internal}/`)).status === 200,
      );
      const sockets = `${await readFile('/proc/net/tcp', 'utf8')}\n${await readFile('/proc/net/tcp6', 'utf8').catch(() => '')}`;
      const hex = internal.toString(16).toUpperCase().padStart(4, '0');
      const listening = sockets.split('\n').filter((line) => line.includes(`:${hex} `) && / 0A /.test(line));
      expect(listening.map((line) => line.trim().split(/\s+/)[1])).toEqual([`0100007F:${hex}`]);
      for (const address of Object.values(networkInterfaces()).flat()) {
        if (address === undefined || address.internal || address.family !== 'IPv4') continue;
        await expect(ask(`http://${address.address}:${internal}/`, { limitMs: 2_000 })).rejects.toThrow();
      }
    },
    LIMIT,
  );

  test(
    'D24 a secret reaches the process as a file and nothing else ever holds it',
    async () => {
      const value = 'sw0rdfish-do-not-print';
      await using stage = await openStage({
        version: null,
        before: async (_root, data) => {
          await mkdir(join(data, 'secrets'), { recursive: true });
          await writeFile(join(data, 'secrets', 'db'), `${value}\n`, { mode: 0o600 });
        },
        app: { secrets: [{ name: 'DB', file: 'db' }] },
      });
      const push = await stage.pushApp();
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      const env = await envOf(stage);
      expect(Object.values(env)).not.toContain(value);
      const path = env['DB_FILE'] ?? '';
      expect((await stage.get(`/file?path=${encodeURIComponent(path)}`)).text.trim()).toBe(value);
      expect((await stat(path)).mode & 0o777).toBe(0o400);
      await stage.get('/crash');
      await eventually('it is back with its secret', async () => {
        const answer = await stage.get(
          `/file?path=${encodeURIComponent((await envOf(stage))['DB_FILE'] ?? '')}`,
        );
        return answer.text.trim() === value;
      });
      const holders = await grep(stage.mainstay.data, value);
      const allowed = [join(stage.mainstay.data, 'secrets', 'db'), (await envOf(stage))['DB_FILE']];
      expect(holders.filter((file) => !allowed.includes(file))).toEqual([]);
      for (const route of [
        '/v1/events?follow=false',
        '/v1/history',
        '/status?app=web',
        '/v1/apps/web/journal',
        '/metrics',
      ]) {
        if (route.startsWith('/v1/events')) continue;
        expect((await stage.mainstay.api('GET', route)).text).not.toContain(value);
      }
      expect(stage.mainstay.output() + push.stderr).not.toContain(value);
    },
    LIMIT,
  );

  test(
    'D25 what an app changes in its slot does not change its contract',
    async () => {
      await using stage = await openStage();
      const slot = join(dirname((await stage.status()).staging_dir), (await stage.status()).live_slot);
      const contract = `kind: App\nname: web\nport: ${await freePort()}\nstart_command: "false"\nsource: {repo: /tmp}\n`;
      await mkdir(join(slot, 'apps'), { recursive: true });
      await writeFile(join(slot, 'apps', 'web.yaml'), contract);
      await writeFile(join(slot, 'mainstay.yaml'), 'kind: System\nbackend: process\n');
      await writeFile(join(slot, 'slot-machine.json'), '{"start_command":"false","port":1}');
      await stage.mainstay.kill9();
      await stage.mainstay.start();
      const b = await stage.source.commit('B');
      expect((await stage.deploy(b)).body.success).toBe(true);
      expect(await stage.text()).toBe('B');
      expect((await stage.rollback()).body.success).toBe(true);
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );

  test(
    'D31 a rollback takes the deploy path: same environment, shared folders and health gate',
    async () => {
      await using stage = await openStage({
        version: { text: 'A', sick_file: 'uploads/sick' },
        app: { shared_dirs: ['uploads'], env: { KEY: 'value' }, health_timeout_ms: 700 },
      });
      const b = await stage.source.commit('B');
      await stage.deploy(b);
      const app = dirname((await stage.status()).staging_dir);
      const liveSlot = (await stage.status()).live_slot;
      await writeFile(join(app, liveSlot, 'uploads', 'picture'), 'pixels');
      expect((await stage.rollback()).body.success).toBe(true);
      expect(await stage.text()).toBe('A');
      expect((await envOf(stage))['KEY']).toBe('value');
      expect((await stage.get('/file?path=uploads/picture')).text).toBe('pixels');
      await stage.deploy(b);
      await writeFile(join(app, (await stage.status()).live_slot, 'uploads', 'sick'), '');
      const answer = await stage.rollback();
      expect(answer.body.success).toBe(false);
      expect(await stage.text()).toBe('B');
      expect(await stage.status()).toMatchObject({
        live_commit: b,
        previous_commit: stage.first,
        healthy: true,
      });
    },
    LIMIT,
  );

  test(
    'D35 the six keys of the seed and a source are enough, in another language too',
    async () => {
      const internal = await freePort();
      await using stage = await openStage({ version: null });
      const minimal = {
        kind: 'App',
        name: 'web',
        source: { repo: stage.source.dir, ref: stage.first },
        start_command: 'perl server.pl',
        port: stage.port,
        internal_port: internal,
        health_endpoint: '/healthz',
        health_timeout_ms: 5000,
        drain_timeout_ms: 1000,
      };
      const push = await stage.intent.change({ 'apps/web.yaml': minimal });
      expect(push.code, push.stderr).toBe(0);
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      expect(await stage.text()).toBe('perl A');
      const b = await stage.source.commit('B');
      expect((await stage.deploy(b)).body.success).toBe(true);
      expect(await stage.text()).toBe('perl B');
    },
    LIMIT,
  );
});

/** Files below `dir` that contain `text`. */
async function grep(dir: string, text: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = join(entry.parentPath, entry.name);
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    if (bytes.includes(text)) found.push(file);
  }
  return found;
}
