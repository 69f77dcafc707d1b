/** What badly behaved clients and apps do to the proxy: each of these broke at least one well-known proxy library. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Socket } from 'node:net';
import { ask } from '../../support/http-client.ts';
import { eventually, stays } from '../../support/wait.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.end());

const HANDSHAKE = [
  'GET /ws HTTP/1.1',
  'Host: a',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: x',
];

/** Answers each connection once the request's headers are complete. */
function onRequest(socket: Socket, answer: (head: string) => void): void {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (!text.includes('\r\n\r\n')) return;
    const head = text;
    text = '';
    answer(head);
  });
}

test('a WebSocket client that resets before the 101 does not hurt the proxy', async () => {
  let asked = 0;
  const silent = await stage.rawApp(() => (asked += 1));
  await stage.serve('g1', silent);
  const wire = await stage.dial();
  wire.send(...HANDSHAKE);
  await eventually('handshake reached the app', () => asked === 1);

  wire.socket.resetAndDestroy();

  await eventually('request released', () => stage.plane.stats().generations['g1']?.inFlight === 0);
  const app = await stage.app((_request, response) => response.end('still here'));
  await stage.serve('g2', app.port);
  expect((await ask(`http://127.0.0.1:${stage.port}/`)).text).toBe('still here');
});

for (const [name, head] of [
  ['content-length', 'Content-Length: 100\r\n\r\nhalf'],
  ['chunked', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
] as const) {
  for (const way of ['FIN', 'RST'] as const) {
    test(`an app that ends in the middle of a ${name} body with a ${way} is not taken for complete`, async () => {
      const port = await stage.rawApp((socket) =>
        onRequest(socket, () => {
          socket.write(`HTTP/1.1 200 OK\r\n${head}`);
          // Once the client has seen the first half.
          void eventually('half arrived', () => wire.text().includes('half')).then(() =>
            way === 'FIN' ? socket.end() : socket.resetAndDestroy(),
          );
        }),
      );
      await stage.serve('g1', port);
      const wire = await stage.dial();
      wire.send('GET / HTTP/1.1', 'Host: a');

      await eventually('client connection ended', () => wire.ended() !== 'open');

      expect(wire.text()).not.toContain('0\r\n\r\n');
      expect(stage.plane.stats().generations['g1']?.errors).toBe(1);
    });
  }
}

test('an app that dies before any byte is a 502', async () => {
  const port = await stage.rawApp((socket) => onRequest(socket, () => socket.destroy()));
  await stage.serve('g1', port);
  const answer = await ask(`http://127.0.0.1:${stage.port}/`, { method: 'POST', body: 'x' });
  expect(answer.status).toBe(502);
  expect(answer.text).toContain('"web"');
});

test('a request that may be repeated is told to try again when the app dies before any byte', async () => {
  const port = await stage.rawApp((socket) => onRequest(socket, () => socket.destroy()));
  await stage.serve('g1', port);
  const answer = await ask(`http://127.0.0.1:${stage.port}/`);
  expect(answer.status).toBe(503);
  expect(answer.headers['retry-after']).toBe('1');
});

test('a client that goes away ends the request at the app', async () => {
  let gone = false;
  const app = await stage.app((request, response) => {
    response.on('close', () => (gone = true));
    response.write('first');
    request.resume();
  });
  await stage.serve('g1', app.port);
  const wire = await stage.dial();
  wire.send('GET / HTTP/1.1', 'Host: a');
  await eventually('first bytes', () => wire.text().includes('first'));

  wire.socket.destroy();

  await eventually('app saw the end', () => gone);
  await eventually('released', () => stage.plane.stats().generations['g1']?.inFlight === 0);
});

test('a refusal in the middle of a large upload reaches the client', async () => {
  const app = await stage.app((request, response) => {
    request.once('data', () => response.writeHead(413, { Connection: 'close' }).end('too large'));
  });
  await stage.serve('g1', app.port);
  for (let n = 0; n < 30; n += 1) {
    const answer = await ask(`http://127.0.0.1:${stage.port}/`, {
      method: 'POST',
      body: 'x'.repeat(3_000_000),
    });
    expect([answer.status, answer.text]).toEqual([413, 'too large']);
  }
});

test('hop-by-hop headers stop here, both ways, also those that Connection names', async () => {
  let seen: NodeJS.Dict<string | string[]> = {};
  const app = await stage.app((request, response) => {
    seen = request.headers;
    response.writeHead(200, {
      Connection: 'keep-alive, X-Hop',
      'X-Hop': '1',
      'Keep-Alive': 'timeout=77',
      'X-Kept': '1',
      'Proxy-Authenticate': 'Basic',
    });
    response.end('ok');
  });
  await stage.serve('g1', app.port);
  const answer = await ask(`http://127.0.0.1:${stage.port}/`, {
    headers: {
      connection: 'close, x-private, content-type',
      'x-private': '1',
      te: 'trailers',
      'keep-alive': '5',
      'proxy-authorization': 'x',
      'content-type': 'a/b',
      'x-public': '1',
    },
  });

  for (const name of ['x-private', 'te', 'keep-alive', 'proxy-authorization', 'proxy-connection'])
    expect(seen).not.toHaveProperty(name);
  expect(seen).toMatchObject({ 'x-public': '1', 'content-type': 'a/b', connection: 'keep-alive' });
  expect(answer.headers).not.toHaveProperty('x-hop');
  expect(answer.headers).not.toHaveProperty('proxy-authenticate');
  expect(answer.headers['keep-alive'] ?? '').not.toContain('77');
  expect(answer.headers['x-kept']).toBe('1');
});

test('headers of an event stream go out before its first event', async () => {
  let finish = (): void => undefined;
  const app = await stage.app((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.flushHeaders();
    finish = () => response.end('data: 1\n\n');
  });
  await stage.serve('g1', app.port);
  const wire = await stage.dial();
  wire.send('GET / HTTP/1.1', 'Host: a');
  await eventually('headers', () => wire.text().includes('text/event-stream'), 2_000);
  expect(wire.text()).not.toContain('data:');
  finish();
  await eventually('event', () => wire.text().includes('data: 1'));
});

test('a pooled connection that the app closes just then costs no error for a safe request', async () => {
  let connections = 0;
  const port = await stage.rawApp((socket) => {
    connections += 1;
    let served = 0;
    onRequest(socket, () => {
      served += 1;
      // The second request on a connection meets its end, as with an idle timeout that fires at that moment.
      if (served === 2) socket.resetAndDestroy();
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  await stage.serve('g1', port);
  for (let n = 0; n < 4; n += 1) expect((await ask(`http://127.0.0.1:${stage.port}/`)).status).toBe(200);
  expect(connections).toBeGreaterThan(1);
  expect((await ask(`http://127.0.0.1:${stage.port}/`, { method: 'POST', body: 'x' })).status).toBe(502);
});

test('an unused upstream connection is not kept for longer than a second', async () => {
  let open = 0;
  const app = await stage.app((_request, response) => response.end('ok'));
  app.server.on('connection', (socket: Socket) => {
    open += 1;
    socket.once('close', () => (open -= 1));
  });
  await stage.serve('g1', app.port);
  await ask(`http://127.0.0.1:${stage.port}/`);
  expect(open).toBe(1);
  await eventually('pool closed it', () => open === 0, 2_000);
});

test('an app may be silent for longer than unused connections are kept', async () => {
  let finish = (): void => undefined;
  const app = await stage.app((_request, response) => (finish = () => response.end('late')));
  await stage.serve('g1', app.port);
  const answer = ask(`http://127.0.0.1:${stage.port}/`);
  await stays('nothing is cut', () => stage.plane.stats().generations['g1']?.errors === 0, 1_300);
  finish();
  expect((await answer).text).toBe('late');
});

test('an app whose answer cannot be said is a 502, not a crash', async () => {
  const port = await stage.rawApp((socket) =>
    onRequest(socket, () => socket.end('HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n')),
  );
  await stage.serve('g1', port);
  expect((await ask(`http://127.0.0.1:${stage.port}/`)).status).toBe(502);
});

test('an HTTP/1.0 client learns of a body that was cut short by a reset', async () => {
  const port = await stage.rawApp((socket) =>
    onRequest(socket, () => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
      void delay(1)
        .then(() => eventually('half arrived', () => wire.text().includes('half')))
        .then(() => socket.end());
    }),
  );
  await stage.serve('g1', port);
  const wire = await stage.dial();
  wire.send('GET / HTTP/1.0', 'Host: a');
  await eventually('ended', () => wire.ended() !== 'open');
  expect(wire.ended()).toBe('reset');
});
