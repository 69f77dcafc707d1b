/** One question to a health endpoint, against real listeners that answer well, badly, slowly or never. */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { httpProbe } from '../../../src/adapters/system/http-probe.ts';

const never = new AbortController().signal;

async function serving(
  server: Server,
): Promise<{ readonly port: number; [Symbol.asyncDispose](): Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function http(listener: RequestListener): ReturnType<typeof serving> {
  return serving(createHttpServer(listener));
}

test('the status is what the endpoint answered, redirects included', async () => {
  await using server = await http((request, response) => {
    response.statusCode = request.url === '/moved' ? 302 : request.url === '/healthz?deep=1' ? 200 : 503;
    response.end('body');
  });
  const ask = (path: string) => httpProbe.http({ port: server.port, path, timeoutMs: 2_000 }, never);

  expect(await ask('/healthz?deep=1')).toEqual({ kind: 'answered', status: 200 });
  expect(await ask('/moved')).toEqual({ kind: 'answered', status: 302 });
  expect(await ask('/x')).toEqual({ kind: 'answered', status: 503 });
});

test('nothing listening is refused; everything else that goes wrong is failed', async () => {
  const gone = await http((_request, response) => response.end());
  await gone[Symbol.asyncDispose]();
  await using silent = await http(() => {});
  await using rude = await serving(createTcpServer((socket) => socket.destroy()));
  await using garbled = await serving(createTcpServer((socket) => socket.end('SSH-2.0-x\r\n\r\n')));

  expect(await httpProbe.http({ port: gone.port, path: '/', timeoutMs: 1_000 }, never)).toEqual({
    kind: 'refused',
  });
  for (const { port } of [silent, rude, garbled]) {
    expect(await httpProbe.http({ port, path: '/', timeoutMs: 100 }, never)).toMatchObject({
      kind: 'failed',
    });
  }
  expect(await httpProbe.http({ port: silent.port, path: '/a b\n', timeoutMs: 100 }, never)).toMatchObject({
    kind: 'failed',
  });
});

test('an endless body does not hold the answer up, and its connection is closed', async () => {
  const closed = Promise.withResolvers<void>();
  await using server = await http((_request, response) => {
    const more = setInterval(() => response.write('x'.repeat(16_384)), 1);
    response.on('close', () => {
      clearInterval(more);
      closed.resolve();
    });
  });

  expect(await httpProbe.http({ port: server.port, path: '/', timeoutMs: 5_000 }, never)).toEqual({
    kind: 'answered',
    status: 200,
  });
  await closed.promise;
});

test('the signal ends the wait', async () => {
  const abort = new AbortController();
  await using server = await http(() => abort.abort());

  const got = await httpProbe.http({ port: server.port, path: '/', timeoutMs: 60_000 }, abort.signal);

  expect(got).toEqual({ kind: 'failed', reason: 'cancelled' });
});
