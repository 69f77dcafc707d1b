/** Requests that are meant to be read one way by the proxy and another way by the app: the published desync cases. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ask } from '../../support/http-client.ts';
import { eventually } from '../../support/wait.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.end());

test.each(['DELETE', 'GET', 'OPTIONS'])('a chunked %s cannot smuggle a second request', async (method) => {
  const asked: string[] = [];
  const app = await stage.app((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${body.length}`);
      response.end('ok');
    });
  });
  await stage.serve('g1', app.port);
  const inner = 'GET /inner HTTP/1.1\r\nHost: a\r\n\r\n';
  const wire = await stage.dial();
  wire.send(
    `${method} /outer HTTP/1.1`,
    'Host: a',
    'Transfer-Encoding: chunked',
    'Connection: transfer-encoding',
    '',
    inner.length.toString(16),
    inner,
    '0',
  );
  await eventually('answered', () => wire.text().includes('200 OK'));
  await ask(`http://127.0.0.1:${stage.port}/next`);

  expect(asked).toEqual([`${method} /outer ${inner.length}`, 'GET /next 0']);
});

test.each([
  ['length and chunks', ['Content-Length: 4', 'Transfer-Encoding: chunked']],
  ['two lengths', ['Content-Length: 4', 'Content-Length: 5']],
  ['an unknown encoding', ['Transfer-Encoding: gzip, chunked']],
  ['an encoding twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
  ['a space before the colon', ['Content-Length : 4']],
  ['a length with a sign', ['Content-Length: +4']],
  ['a length in hex', ['Content-Length: 0x4']],
  ['a length list', ['Content-Length: 4, 4']],
  ['a folded header', ['X: 1', ' Content-Length: 4']],
  ['an encoding that only looks right', ['Transfer-Encoding: xchunked']],
  ['an encoding after a control character', ['Transfer-Encoding: \x0bchunked']],
  ['a bare line feed', ['X: 1\nTransfer-Encoding: chunked']],
  ['a bare carriage return', ['X: 1\rTransfer-Encoding: chunked']],
  ['a null byte', ['X: \0']],
  ['a header without a name', [': 1']],
  ['two hosts', ['Host: b']],
  ['a host that is none', ['Host: a@b/c']],
])('a request with %s is refused and never reaches the app', async (_name, lines) => {
  let asked = 0;
  const app = await stage.app((_request, response) => {
    asked += 1;
    response.end();
  });
  await stage.serve('g1', app.port);
  const wire = await stage.dial();
  wire.send('POST / HTTP/1.1', ...(lines[0]?.startsWith('Host: a@') ? [] : ['Host: a']), ...lines);
  await eventually('answered', () => wire.text().includes('HTTP/1.1 400'));
  await eventually('closed', () => wire.ended() !== 'open');
  expect(asked).toBe(0);
});

test('an upgrade with a body is an ordinary request, and other protocols are not upgraded', async () => {
  let seen: NodeJS.Dict<string | string[]> = {};
  const app = await stage.app((request, response) => {
    seen = request.headers;
    request.resume().on('end', () => response.end('plain'));
  });
  await stage.serve('g1', app.port);
  const first = await stage.dial();
  first.send(
    'GET /ws HTTP/1.1',
    'Host: a',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Content-Length: 2',
    '',
    'hi',
  );
  await eventually('answered', () => first.text().includes('plain'));
  expect(seen).not.toHaveProperty('upgrade');
  const second = await stage.dial();
  second.send(
    'GET / HTTP/1.1',
    'Host: a',
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AA',
  );
  await eventually('answered', () => second.text().includes('plain'));
  expect(seen).not.toHaveProperty('http2-settings');
});

test.each([
  ['a size with a sign', '+4'],
  ['a size in hex notation', '0x4'],
  ['a size beyond all bounds', 'fffffffffffffffff'],
  ['an extension with a line feed', '4;x\n'],
])('a chunk with %s ends the request unfinished', async (_name, size) => {
  let whole = 0;
  const app = await stage.app((request, response) => {
    request.on('error', () => undefined).resume();
    request.on('end', () => {
      whole += 1;
      response.end();
    });
  });
  await stage.serve('g1', app.port);
  const wire = await stage.dial();
  wire.send('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', '', size, 'abcd', '0');
  await eventually('closed', () => wire.ended() !== 'open');
  await eventually('released', () => (stage.plane.stats().generations['g1']?.inFlight ?? 0) === 0);
  expect(whole).toBe(0);
});
