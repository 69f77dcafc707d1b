/** Who gets a request: hosts, prefixes, listeners that come and go, replicas, and what is said when nobody does. */
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostName } from '../../../src/proxy/router.ts';
import { ask } from '../../support/http-client.ts';
import { freePort } from '../../support/free-ports.ts';
import { eventually } from '../../support/wait.ts';
import { group, listen, listener, openStage, route, tableOf, type Stage } from './stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.end());

async function named(name: string): Promise<number> {
  return (await stage.app((request, response) => response.end(`${name} ${request.url}`))).port;
}

async function get(path: string, host = 'a'): Promise<string> {
  const { status, text } = await ask(`http://127.0.0.1:${stage.port}${path}`, { headers: { host } });
  return status === 200 ? text : String(status);
}

test('the exact host comes before any host, and the longest prefix wins on whole segments', async () => {
  const routes = [
    route('any', group('any', await named('any'))),
    route('api', group('api', await named('api')), { pathPrefix: '/api' }),
    route('deep', group('deep', await named('deep')), { pathPrefix: '/api/v2' }),
    route('shop', group('shop', await named('shop')), { hosts: ['shop.test', 'www.shop.test'] }),
    route('only', group('only', await named('only')), { hosts: ['only.test'], pathPrefix: '/x' }),
  ];
  await stage.plane.apply(tableOf(1, [listener(stage.port, ...routes)]));

  expect(await get('/')).toBe('any /');
  expect(await get('/api')).toBe('api /api');
  expect(await get('/api/v1?q=/api/v2')).toBe('api /api/v1?q=/api/v2');
  expect(await get('/api?x')).toBe('api /api?x');
  expect(await get('/api/v2/')).toBe('deep /api/v2/');
  expect(await get('/apix')).toBe('any /apix');
  expect(await get('/api', 'SHOP.test:8080')).toBe('shop /api');
  expect(await get('/', 'www.shop.test.')).toBe('shop /');
  expect(await get('/x/1', 'only.test')).toBe('only /x/1');
  expect(await get('/y', 'only.test')).toBe('any /y');
});

test('a target in absolute form goes to the host it names', async () => {
  const routes = [route('shop', group('shop', await named('shop')), { hosts: ['shop.test'] })];
  await stage.plane.apply(tableOf(1, [listener(stage.port, ...routes)]));
  const wire = await stage.dial();
  wire.send('GET http://shop.test:80?q=1 HTTP/1.1', 'Host: other.test');
  await eventually('answered', () => wire.text().includes('shop /?q=1'));
});

test('host names are taken apart as they come', () => {
  expect(hostName('Shop.Test:80')).toBe('shop.test');
  expect(hostName('[::1]:8080')).toBe('[::1]');
  expect(hostName('shop.test.')).toBe('shop.test');
  expect(hostName('')).toBe('');
  for (const bad of ['a b', 'a@b', 'a/b', 'a:b', '[::1', 'a,b']) expect(hostName(bad)).toBeNull();
});

test('nobody for a host or path is a 404 that says so; TRACE and OPTIONS * stay here', async () => {
  await stage.plane.apply(
    tableOf(1, [listener(stage.port, route('x', group('x', 1), { hosts: ['x.test'] }))]),
  );
  const answer = await ask(`http://127.0.0.1:${stage.port}/`, { headers: { host: 'unknown.test' } });
  expect([answer.status, answer.headers['content-type']]).toEqual([404, 'text/plain; charset=utf-8']);
  expect(answer.text).toContain('unknown.test');
  expect(
    (await ask(`http://127.0.0.1:${stage.port}/`, { method: 'TRACE', headers: { host: 'x.test' } })).status,
  ).toBe(405);
  const wire = await stage.dial();
  wire.send('OPTIONS * HTTP/1.1', 'Host: x.test');
  await eventually('answered', () => wire.text().includes('Allow: GET'));
});

test('an app without a healthy version is 503 with Retry-After, also for WebSockets, while others are served', async () => {
  const routes = [
    route('down', null, { pathPrefix: '/down' }),
    route('refusing', group('r', await freePort(), await freePort()), { pathPrefix: '/refusing' }),
    route('up', group('up', await named('up'))),
  ];
  await stage.plane.apply(tableOf(1, [listener(stage.port, ...routes)]));

  for (const app of ['down', 'refusing']) {
    const answer = await ask(`http://127.0.0.1:${stage.port}/${app}`, { method: 'POST', body: 'lost' });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(answer.text).toContain(`"${app}"`);
    const wire = await stage.dial();
    wire.send(`GET /${app} HTTP/1.1`, 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket');
    await eventually('answered', () => /^HTTP\/1\.1 503 [^]*Retry-After: 1/.test(wire.text()));
    await eventually('closed', () => wire.ended() !== 'open');
  }
  expect(await get('/')).toBe('up /');
});

test('requests are spread over replicas, and one that refuses is passed over with the body intact', async () => {
  const seen = new Map<string, number>();
  const replica = async (name: string): Promise<number> => {
    const app = await stage.app((request, response) => {
      let size = 0;
      request.on('data', (chunk: Buffer) => (size += chunk.length));
      request.on('end', () => {
        seen.set(name, (seen.get(name) ?? 0) + 1);
        response.end(String(size));
      });
    });
    return app.port;
  };
  const [a, b, c] = [await replica('a'), await replica('b'), await replica('c')];
  await stage.serve('g1', a, b, c);
  for (let n = 0; n < 30; n += 1) await get('/');
  expect([...seen.values()]).toEqual([10, 10, 10]);

  await stage.serve('g2', await freePort(), a);
  for (let n = 0; n < 4; n += 1) {
    const answer = await ask(`http://127.0.0.1:${stage.port}/`, {
      method: 'POST',
      body: 'x'.repeat(200_000),
    });
    expect([answer.status, answer.text]).toEqual([200, '200000']);
  }
});

test('a busy replica gets less', async () => {
  const held: (() => void)[] = [];
  const slow = await stage.app((_request, response) => held.push(() => response.end('slow')));
  const fast = await stage.app((_request, response) => response.end('fast'));
  await stage.serve('g1', slow.port, fast.port);
  const two = [get('/'), get('/')];
  await eventually('one is held', () => held.length === 1);
  for (let n = 0; n < 10; n += 1) expect(await get('/')).toBe('fast');
  for (const finish of held) finish();
  expect(await Promise.all(two)).toContain('slow');
});

test('the app learns where the request came from', async () => {
  const app = await stage.app((request, response) => response.end(JSON.stringify(request.headers)));
  await stage.serve('g1', app.port);
  const headers = { host: 'shop.test:81', 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7' };
  const seen = (await ask(`http://127.0.0.1:${stage.port}/`, { headers })).json();
  expect(seen).toMatchObject({
    host: 'shop.test:81',
    'x-forwarded-for': '203.0.113.7, 127.0.0.1',
    'x-forwarded-host': 'shop.test:81',
    'x-forwarded-proto': 'http',
    forwarded: 'for=203.0.113.7',
  });
  const behindTls = await ask(`http://127.0.0.1:${stage.port}/`, {
    headers: { 'x-forwarded-proto': 'https' },
  });
  expect(behindTls.json()).toMatchObject({ 'x-forwarded-proto': 'https' });
});

test('answers without a body, repeated headers and odd status lines come through as they are', async () => {
  const app = await stage.app((request, response) => {
    response.setHeader('Set-Cookie', ['a=1', 'b=2']);
    if (request.url === '/304') response.writeHead(304, { ETag: '"x"' }).end();
    else if (request.url === '/204') response.writeHead(204).end();
    else response.writeHead(299, 'Quite Fine', { 'X-Case': '\u00e9', 'Content-Length': 5 }).end('hello');
  });
  await stage.serve('g1', app.port);
  const wire = await stage.dial();
  wire.send('HEAD / HTTP/1.1', 'Host: a');
  await eventually('head', () => wire.text().endsWith('\r\n\r\n'));
  expect(wire.text()).toMatch(/^HTTP\/1\.1 299 Quite Fine\r\n/);
  expect(wire.text()).toMatch(/Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n/);
  expect(wire.text()).toContain('X-Case: \u00e9');
  expect(wire.text()).toContain('Content-Length: 5');
  wire.send('GET /304 HTTP/1.1', 'Host: a');
  await eventually('304', () => wire.text().includes('304 Not Modified') && wire.text().endsWith('\r\n\r\n'));
  wire.send('GET /204 HTTP/1.1', 'Host: a');
  await eventually('204', () => wire.text().includes('204 No Content') && wire.text().endsWith('\r\n\r\n'));
  wire.send('POST / HTTP/1.1', 'Host: a', 'Expect: 100-continue', 'Content-Length: 2');
  await eventually('continue', () => wire.text().includes('100 Continue'));
  wire.socket.write('hi');
  await eventually('answered on the same connection', () => wire.text().endsWith('hello'));
});

test('a listener that stays is untouched by others that come and go', async () => {
  const port = await named('web');
  const extra = await freePort();
  const stay = listener(stage.port, route('web', group('g1', port)));
  await stage.plane.apply(tableOf(1, [stay]));
  const wire = await stage.dial();
  const ping = async (n: number): Promise<void> => {
    wire.send(`GET /${n} HTTP/1.1`, 'Host: a');
    await eventually('answered on the same connection', () => wire.text().includes(`web /${n}`));
  };
  await ping(1);
  await stage.plane.apply(tableOf(2, [stay, listener(extra, route('web', group('g1', port)))]));
  expect((await ask(`http://127.0.0.1:${extra}/`)).text).toBe('web /');
  await ping(2);
  await stage.plane.apply(tableOf(3, [stay]));
  await ping(3);
  await expect(ask(`http://127.0.0.1:${extra}/`)).rejects.toThrow('ECONNREFUSED');
});

test('a removed listener finishes what runs, and tells idle clients before it goes', async () => {
  const finish: (() => void)[] = [];
  const app = await stage.app((request, response) => {
    if (request.url === '/slow') finish.push(() => response.end('done'));
    else response.end('quick');
  });
  await stage.serve('g1', app.port);
  const slow = await stage.dial();
  slow.send('GET /slow HTTP/1.1', 'Host: a');
  await eventually('slow is at the app', () => finish.length === 1);
  const idle = await stage.dial();
  idle.send('GET / HTTP/1.1', 'Host: a');
  await eventually('answered', () => idle.text().includes('quick'));

  const unused = await stage.dial();
  await eventually('accepted', () => new Promise((resolve) => setImmediate(() => resolve(true))));
  await stage.plane.apply(tableOf(9, []));

  await expect(stage.dial()).rejects.toThrow('ECONNREFUSED');
  idle.send('GET / HTTP/1.1', 'Host: a');
  await eventually('told to go', () => /quick[^]*Connection: close[^]*quick/i.test(idle.text()));
  await eventually('unused connection closed', () => unused.ended() === 'end', 3_000);
  finish[0]?.();
  await eventually('slow finished', () => /Connection: close[^]*done/i.test(slow.text()));
  await eventually('both ended', () => slow.ended() === 'end' && idle.ended() === 'end');
});

test('a port that is taken is reported with what to do, others open, and the next table tries again', async () => {
  const port = await named('web');
  const squatter = createServer();
  const taken = await listen(squatter);
  const table = (version: number) =>
    tableOf(version, [
      listener(taken, route('web', group('g1', port))),
      listener(stage.port, route('web', group('g1', port))),
    ]);

  const failures = await stage.plane.apply(table(1));

  expect(failures).toMatchObject([{ host: '127.0.0.1', port: taken }]);
  expect(failures[0]?.message).toMatch(/another program uses this port.*ss -ltnp/);
  expect(await get('/')).toBe('web /');
  await new Promise((resolve) => squatter.close(resolve));
  expect(await stage.plane.apply(table(2))).toEqual([]);
  expect((await ask(`http://127.0.0.1:${taken}/`)).text).toBe('web /');
});

test('a listener may move to another host on the same port', async () => {
  const port = await named('web');
  const routes = [route('web', group('g1', port))];
  await stage.plane.apply(tableOf(1, [{ host: '127.0.0.1', port: stage.port, routes }]));
  expect(await stage.plane.apply(tableOf(2, [{ host: '0.0.0.0', port: stage.port, routes }]))).toEqual([]);
  expect(await get('/')).toBe('web /');
});
