/** The swap and the drain: what runs on the old generation goes on, what is new goes to the new one. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { ask } from '../../support/http-client.ts';
import { eventually } from '../../support/wait.ts';
import { openStage, type App, type Stage } from './stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.end());

/** An app whose `/slow` answers when told to. */
async function holding(): Promise<App & { finish: (() => void)[] }> {
  const finish: (() => void)[] = [];
  const app = await stage.app((request, response) => {
    if (request.url !== '/slow') return response.end('old');
    response.write('begun ');
    finish.push(() => response.end('finished'));
    return response;
  });
  return { ...app, finish };
}

/** An app that echoes bytes after the handshake. */
async function echo(): Promise<App> {
  const app = await stage.app((_request, response) => response.writeHead(426).end('upgrade'));
  app.server.on('upgrade', (_request, socket: Socket, head: Buffer) => {
    socket.on('error', () => undefined);
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: y\r\nKeep-Alive: 5\r\n\r\nhello ',
    );
    socket.write(head);
    socket.pipe(socket);
  });
  return app;
}

const HANDSHAKE = ['GET /ws HTTP/1.1', 'Host: a', 'Connection: keep-alive, Upgrade', 'Upgrade: WebSocket'];

test('a long request survives the swap, the drain waits for it, and the pool is gone after', async () => {
  const old = await holding();
  const next = await stage.app((_request, response) => response.end('new'));
  await stage.serve('g1', old.port);
  const wire = await stage.dial();
  wire.send('GET /slow HTTP/1.1', 'Host: a');
  await eventually('begun', () => wire.text().includes('begun'));

  await stage.serve('g2', next.port);
  expect((await ask(`http://127.0.0.1:${stage.port}/`)).text).toBe('new');
  const drained = stage.plane.drain('g1', 10_000);
  expect(await Promise.race([drained, ask(`http://127.0.0.1:${stage.port}/`).then(() => 'waiting')])).toBe(
    'waiting',
  );
  old.finish[0]?.();

  expect(await drained).toEqual({ ok: true, value: 0 });
  await eventually('finished', () => wire.text().includes('finished'));
  await eventually(
    'no connection to the old app',
    () => new Promise((resolve) => old.server.getConnections((_e, n) => resolve(n === 0))),
  );
  expect(Object.keys(stage.plane.stats().generations)).toEqual(['g2']);
});

test('what is not done at the deadline is counted and cut', async () => {
  const old = await holding();
  await stage.serve('g1', old.port);
  const wire = await stage.dial();
  wire.send('GET /slow HTTP/1.1', 'Host: a');
  await eventually('begun', () => wire.text().includes('begun'));
  await stage.serve('g2', old.port);

  expect(await stage.plane.drain('g1', 50)).toEqual({ ok: true, value: 1 });

  await eventually('cut', () => wire.ended() !== 'open');
  expect(await stage.plane.drain('g1', 50)).toEqual({ ok: true, value: 0 });
});

test('a generation that serves is not drained, and one that comes back is not cut', async () => {
  const old = await holding();
  await stage.serve('g1', old.port);
  expect(await stage.plane.drain('g1', 50)).toMatchObject({
    ok: false,
    error: { code: 'generation-in-use' },
  });
  const wire = await stage.dial();
  wire.send('GET /slow HTTP/1.1', 'Host: a');
  await eventually('begun', () => wire.text().includes('begun'));
  await stage.serve('g2', old.port);
  const drained = stage.plane.drain('g1', 10_000);
  await stage.serve('g1', old.port);

  expect(await drained).toMatchObject({ ok: false, error: { code: 'generation-in-use' } });
  expect(stage.plane.stats().generations['g1']?.inFlight).toBe(1);
  old.finish[0]?.();
  await eventually('finished', () => wire.text().includes('finished'));
});

test('a WebSocket passes bytes both ways, counts as in flight, and lives until the drain deadline', async () => {
  const app = await echo();
  await stage.serve('g1', app.port);
  const wire = await stage.dial();
  wire.socket.write(`${HANDSHAKE.join('\r\n')}\r\n\r\nearly `);
  await eventually('hello', () => wire.text().includes('hello early'));
  expect(wire.text()).toMatch(
    /^HTTP\/1\.1 101 .*\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: y\r\n\r\n/,
  );
  const blob = Buffer.alloc(2_000_000, 'ab');
  wire.socket.write(blob);
  const length = wire.text().length;
  await eventually('echoed', () => wire.text().length >= length + blob.length);
  const digest = (text: string): string => createHash('sha1').update(text, 'latin1').digest('hex');
  expect(digest(wire.text().slice(-blob.length))).toBe(digest(blob.toString('latin1')));

  await stage.serve('g2', app.port);
  const drained = stage.plane.drain('g1', 300);
  wire.socket.write('still');
  await eventually('still alive', () => wire.text().endsWith('still'));

  expect(await drained).toEqual({ ok: true, value: 1 });
  await eventually('cut at the deadline', () => wire.ended() !== 'open');
});

test('either end of a WebSocket ends the other', async () => {
  const app = await echo();
  const far: Socket[] = [];
  app.server.on('upgrade', (_request, socket: Socket) => far.push(socket));
  await stage.serve('g1', app.port);
  for (const end of ['client', 'app'] as const) {
    const wire = await stage.dial();
    wire.send(...HANDSHAKE);
    await eventually('hello', () => wire.text().includes('hello'));
    if (end === 'client') wire.socket.resetAndDestroy();
    else far.at(-1)?.destroy();
    await eventually('released', () => stage.plane.stats().generations['g1']?.inFlight === 0);
    await eventually(
      'both ended',
      () => far.at(-1)?.destroyed === true && wire.ended() !== (end === 'app' ? 'open' : ''),
    );
  }
});

test('an app that declines a WebSocket says so itself', async () => {
  const app = await stage.app((request, response) =>
    response.writeHead(401, { 'X-Why': request.headers.upgrade ?? '' }).end('no'),
  );
  await stage.serve('g1', app.port);
  const wire = await stage.dial();
  wire.send(...HANDSHAKE);
  await eventually('declined', () => wire.ended() === 'end');
  expect(wire.text()).toMatch(/^HTTP\/1\.1 401 [^]*X-Why: websocket[^]*no/);
});

test('an event stream goes on over a swap', async () => {
  let send = (_text: string): void => undefined;
  const app = await stage.app((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    send = (text) => void response.write(text);
    send('data: 0\n\n');
  });
  await stage.serve('g1', app.port);
  const wire = await stage.dial();
  wire.send('GET / HTTP/1.1', 'Host: a');
  await eventually('first event', () => wire.text().includes('data: 0'));
  for (let n = 1; n < 5; n += 1) {
    await stage.serve(`g${n + 1}`, app.port);
    send(`data: ${n}\n\n`);
    await eventually('next event', () => wire.text().includes(`data: ${n}`));
  }
});
