/** The proxy's life beside the daemon: who starts it, what it outlives, and that there is only ever one. */
import { spawn } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ProxyClient } from '../../../src/proxy/client.ts';
import { proxyEntry } from '../../../src/proxy/launch.ts';
import { ask } from '../../support/http-client.ts';
import { eventually, within } from '../../support/wait.ts';
import { dialWire, group, listener, route, tableOf } from './stage.ts';
import { openProcessStage, type ProcessStage } from './process-stage.ts';
import type { ProxyTable } from '../../../src/model/routes.ts';

let stage: ProcessStage;
beforeEach(async () => {
  stage = await openProcessStage();
});
afterEach(() => stage.end());

function web(version: number, port: number | null): ProxyTable {
  const generation = port === null ? null : group(`g${version}`, port);
  return tableOf(version, [listener(stage.port, route('web', generation))]);
}

const inFlight = (client: ProxyClient, generation: string): Promise<unknown> =>
  eventually('a request in flight', async () => {
    const stats = await client.stats();
    return stats.ok && stats.value.generations[generation]?.inFlight === 1;
  });

const get = async (path = '/'): Promise<string> => (await ask(`http://127.0.0.1:${stage.port}${path}`)).text;

test('it serves while the daemon is gone, and the next one takes it over as it is', async () => {
  const app = await stage.app('one');
  const first = stage.client();
  expect(await first.apply(web(1, app.port))).toEqual({ ok: true, value: [] });
  const [pid] = await stage.pids();
  await first.close();
  expect(await get()).toBe('one');

  const second = stage.client();
  expect(await second.stats()).toMatchObject({
    ok: true,
    value: { version: 1, generations: { g1: { requests: 1, errors: 0, inFlight: 0 } } },
  });
  expect(second.alive()).toMatchObject({ pid, version: 1 });
  expect(await second.apply(web(2, null))).toEqual({ ok: true, value: [] });
  expect((await ask(`http://127.0.0.1:${stage.port}/`)).status).toBe(503);
  expect(await stage.pids()).toEqual([pid]);
});

test('it is started again at once when it is killed, and serves the last table', async () => {
  const app = await stage.app('one');
  const client = stage.client();
  await client.apply(web(1, app.port));
  const [pid] = await stage.pids();
  process.kill(pid ?? 0, 'SIGKILL');

  await eventually('serves again', async () => (await get()) === 'one', 5_000);

  expect(client.alive()?.pid).not.toBe(pid);
  expect(await client.drain('gone', 1_000, new AbortController().signal)).toEqual({ ok: true, value: 0 });
});

test('started without a daemon it serves the stored table; after a reboot its targets are not believed', async () => {
  const app = await stage.app('one');
  const client = stage.client();
  await client.apply(web(7, app.port));
  await client.close();
  const restart = async (): Promise<void> => {
    for (const pid of await stage.pids()) process.kill(pid, 'SIGKILL');
    await eventually('ended', async () => (await stage.pids()).length === 0);
    spawn(process.execPath, [proxyEntry(), 'proxy', '--data', stage.data], {
      detached: true,
      stdio: 'ignore',
    }).unref();
  };
  await restart();
  await eventually('serves again', async () => (await get()) === 'one');

  const file = join(stage.data, 'proxy', 'table.json');
  const stored = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...stored, boot: 'another' }));
  await restart();
  await eventually(
    'answers for the app',
    async () => (await ask(`http://127.0.0.1:${stage.port}/`)).status === 503,
  );

  await writeFile(file, '{"boot":"x","table":{"version":1,"listeners":[{"host":3}]}}');
  await restart();
  expect(await stage.client().stats()).toMatchObject({ ok: true, value: { version: 0 } });
});

test('many that start at once come down to one', async () => {
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, [proxyEntry(), 'proxy', '--data', stage.data], { stdio: 'ignore' }),
  );
  const codes: (number | null)[] = [];
  for (const child of children) child.once('exit', (code) => codes.push(code));
  await within(
    'five gave way',
    eventually('exits', () => codes.length === 5),
    15_000,
  );
  expect(codes).toEqual([3, 3, 3, 3, 3]);
  expect(await stage.pids()).toHaveLength(1);
  expect(await stage.client().stats()).toMatchObject({ ok: true });
});

test('stop lets requests finish, ends the process and forgets the table; SIGTERM keeps it', async () => {
  const app = await stage.app('one');
  const client = stage.client();
  await client.apply(web(1, app.port));
  const slow = get('/slow');
  await inFlight(client, 'g1');
  await client.stop(5_000);
  expect(await slow).toBe('one');
  expect(await stage.pids()).toEqual([]);
  await expect(stat(join(stage.data, 'proxy', 'table.json'))).rejects.toThrow('ENOENT');
  expect(await client.apply(web(2, app.port))).toMatchObject({
    ok: false,
    error: { code: 'proxy-call-aborted' },
  });

  const again = stage.client();
  await again.apply(web(3, app.port));
  await again.close();
  const [pid] = await stage.pids();
  const last = get('/slow');
  const watcher = stage.client();
  await inFlight(watcher, 'g3');
  await watcher.close();
  process.kill(pid ?? 0, 'SIGTERM');
  expect(await last).toBe('one');
  await stat(join(stage.data, 'proxy', 'table.json'));
});

test('stop starts nothing when nothing runs', async () => {
  await stage.client().stop(1_000);
  expect(await stage.pids()).toEqual([]);
});

test('a process of another protocol is replaced', async () => {
  const old = join(stage.data, 'old.cjs');
  await writeFile(
    old,
    `const fs = require('node:fs'), net = require('node:net');
     fs.mkdirSync('${stage.data}/proxy', { recursive: true });
     process.chdir('${stage.data}/proxy');
     const server = net.createServer((socket) => socket.on('data', () => socket.write(JSON.stringify({ id: 1, ok: true, value: { protocol: 0, pid: process.pid, version: 9 } }) + '\\n')));
     server.listen('control.sock');
     process.on('SIGTERM', () => server.close(() => process.exit(0)));`,
  );
  const child = spawn(process.execPath, [old], { stdio: 'inherit' });
  await eventually('old one is up', () => stat(join(stage.data, 'proxy', 'control.sock')));
  const app = await stage.app('one');

  expect(await stage.client().apply(web(1, app.port))).toEqual({ ok: true, value: [] });

  await eventually('old one ended', () => child.exitCode === 0);
  expect(await get()).toBe('one');
});

test('a program that does not come up is a failure with the log to look at, not a wait for ever', async () => {
  const broken = join(stage.data, 'broken.cjs');
  await writeFile(broken, `console.error('cannot start'); process.exit(1);`);
  const client = stage.client(broken);
  const answer = await client.stats();
  expect(answer).toMatchObject({
    ok: false,
    error: { code: 'proxy-unreachable', retry: { kind: 'backoff' } },
  });
  expect(answer.ok ? '' : answer.error.message).toContain('proxy.log');
  expect(await readFile(join(stage.data, 'proxy', 'proxy.log'), 'utf8')).toContain('cannot start');
});

test('a long data path is fine, and the socket is private', async () => {
  const long = await openProcessStage(`${'a-long-folder-name/'.repeat(8)}data`);
  try {
    const client = long.client();
    expect(await client.apply(tableOf(1, [listener(stage.port, route('web', null))]))).toEqual({
      ok: true,
      value: [],
    });
    expect((await stat(join(long.data, 'proxy'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(long.data, 'proxy', 'control.sock'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(long.data, 'proxy', 'table.json'))).mode & 0o777).toBe(0o600);
  } finally {
    await long.end();
  }
});

test('it refuses what it cannot read and goes on', async () => {
  const client = stage.client();
  await client.apply(web(1, null));
  const bad = { version: 2, listeners: [{ host: 'a', port: 99_999, routes: [] }] };
  expect(await client.apply(bad)).toMatchObject({ ok: false, error: { code: 'proxy-table-invalid' } });
  const wire = connect(join(stage.data, 'proxy', 'control.sock'));
  wire.write('this is no request\n');
  await new Promise((resolve) => wire.once('close', resolve));
  expect(await client.stats()).toMatchObject({ ok: true, value: { version: 1 } });
  const wire2 = await dialWire(stage.port);
  wire2.socket.destroy();
});
