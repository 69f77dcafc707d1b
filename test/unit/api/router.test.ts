/** Requests whose first line or Host is unusual, sent as bytes. */
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApi, type TestApi } from './start-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

/** The status of the answer to these lines. */
function status(...lines: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(api.api.port, '127.0.0.1');
    let text = '';
    socket.setTimeout(5000, () => socket.destroy(new Error('no answer')));
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject).on('close', () => resolve(Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1])));
    socket.write([...lines, 'Connection: close', '', ''].join('\r\n'));
  });
}

const HOST = 'Host: 127.0.0.1';

test('a path is looked for as it stands, whole, without its query', async () => {
  expect(await status('GET /healthz HTTP/1.1', HOST)).toBe(200);
  expect(await status('GET /healthz?x HTTP/1.1', HOST)).toBe(400);
  expect(await status('HEAD /healthz HTTP/1.1', HOST)).toBe(200);
  expect(await status('GET http://127.0.0.1/healthz HTTP/1.1', HOST)).toBe(200);
  expect(await status('GET //healthz HTTP/1.1', HOST)).toBe(401);
  expect(await status('GET /healthz/ HTTP/1.1', HOST)).toBe(401);
  expect(await status('GET /nowhere HTTP/1.1', HOST)).toBe(401);
});

test.each([
  ['GET * HTTP/1.1', HOST],
  ['GET http://[ HTTP/1.1', HOST],
  ['GET /healthz HTTP/1.1', 'Host: a b'],
  ['GET /healthz HTTP/1.1', 'Host: 127.0.0.1/x'],
  ['GET /healthz HTTP/1.1', 'Host: u@127.0.0.1'],
  ['GET /healthz HTTP/1.1', 'Host: '],
])('%s with %s is malformed', async (line, host) => {
  expect(await status(line, host)).toBe(400);
});

test('a parameter is decoded once', async () => {
  const asked = await api.fetch('/v1/apps/w%65b/status');
  const twice = await api.fetch('/v1/apps/w%2565b/status');
  const broken = await api.fetch('/v1/apps/w%zzb/status');
  expect([asked.status, twice.status, broken.status]).toEqual([200, 400, 400]);
});
