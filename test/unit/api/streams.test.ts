/** Streams and waits: nothing is lost or said twice over a reconnect, slow and gone readers cost nothing. */
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commitStatus } from '../../fakes/control-plane.ts';
import { startApi } from './start-api.ts';
import type { TestApi } from './start-api.ts';

let api: TestApi;

beforeEach(async () => {
  api = await startApi();
});

afterEach(() => api.stop());

const LIMIT_MS = 5000;

async function until(what: () => boolean): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!what()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Reader {
  /** Blocks of the stream as they came, comments and retry left out. */
  readonly blocks: string[];
  readonly ended: Promise<void>;
  leave(): void;
}

async function follow(path: string, headers: Record<string, string> = {}, who = 'viewer'): Promise<Reader> {
  const ends = new AbortController();
  const response = await fetch(api.url + path, {
    headers: { ...api.as(who), accept: 'text/event-stream', ...headers },
    signal: ends.signal,
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const blocks: string[] = [];
  const read = async () => {
    let rest = '';
    for await (const chunk of response.body ?? []) {
      const parts = (rest + Buffer.from(chunk).toString()).split('\n\n');
      rest = parts.pop() ?? '';
      blocks.push(...parts.filter((part) => !part.startsWith(':') && !part.startsWith('retry:')));
    }
  };
  return { blocks, ended: read().catch(() => undefined), leave: () => ends.abort() };
}

function idsOf(reader: Reader): number[] {
  return reader.blocks.flatMap((block) => /^id: (\d+)$/m.exec(block)?.[1] ?? []).map(Number);
}

describe('events', () => {
  test('a stream begins with what happens next and carries id, type and data', async () => {
    api.control.emit('before');
    const reader = await follow('/v1/events');
    await until(() => api.control.listeners() === 1);
    const event = api.control.emit('commit-converged', { unit: 'web', message: 'with https://a:b@host' });
    await until(() => reader.blocks.length === 1);

    expect(reader.blocks[0]).toBe(
      `id: ${event.id}\nevent: commit-converged\ndata: ${JSON.stringify({ ...event, message: 'with https://***@host' })}`,
    );
    reader.leave();
    await until(() => api.control.listeners() === 0);
  });

  test('Last-Event-ID and ?after resume exactly behind it', async () => {
    const [first, second, third] = [api.control.emit('a'), api.control.emit('b'), api.control.emit('c')];
    const byHeader = await follow('/v1/events?after=0', { 'last-event-id': String(first.id) });
    const byQuery = await follow(`/v1/events?after=${second.id}`);
    await until(() => byHeader.blocks.length === 2 && byQuery.blocks.length === 1);

    expect(idsOf(byHeader)).toEqual([second.id, third.id]);
    expect(idsOf(byQuery)).toEqual([third.id]);
    byHeader.leave();
    byQuery.leave();
  });

  test('a reader that was away too long is told of the gap once', async () => {
    api.control.state.keep = 2;
    for (let n = 0; n < 5; n++) api.control.emit('x');
    const reader = await follow('/v1/events?after=1000');
    await until(() => reader.blocks.length === 3);
    api.control.emit('y');
    await until(() => reader.blocks.length === 4);

    expect(reader.blocks[0]).toContain('event: gap');
    expect(JSON.parse(reader.blocks[0]?.split('data: ')[1] ?? '')).toMatchObject({
      after: 1000,
      first: 1004,
    });
    expect(idsOf(reader)).toEqual([1004, 1005, 1006]);
    reader.leave();
  });

  test('many events at once arrive in order, none twice', async () => {
    const reader = await follow('/v1/events?after=1000');
    for (let n = 0; n < 500; n++) api.control.emit('x', { message: 'm'.repeat(200) });
    await until(() => reader.blocks.length === 500);

    expect(idsOf(reader)).toEqual(Array.from({ length: 500 }, (_, n) => 1001 + n));
    reader.leave();
  });

  test('a page for those who do not stream', async () => {
    const [first, second] = [api.control.emit('a'), api.control.emit('b')];
    const page = async (path: string, accept = '*/*') =>
      (await api.fetch(path, { headers: { ...api.as('viewer'), accept } })).json();

    expect(await page('/v1/events?after=0&limit=1')).toEqual({
      items: [first],
      next: String(first.id),
      last: first.id,
      gap: false,
    });
    expect(await page('/v1/events?after=0', 'application/json')).toEqual({
      items: [first, second],
      next: null,
      last: second.id,
      gap: false,
    });
  });

  test('a reader that takes nothing is held up, not queued for', async () => {
    const socket = connect(api.api.port, '127.0.0.1', () => {
      const headers = `Host: localhost\r\nAuthorization: ${api.as('viewer')['authorization']}\r\n`;
      socket.write(`GET /v1/events?after=1000 HTTP/1.1\r\n${headers}\r\n`);
    });
    socket.pause();
    await until(() => api.control.listeners() === 1);
    let asked = 0;
    const feed = api.control.events;
    const since = feed.since.bind(feed);
    feed.since = (id) => {
      asked += 1;
      return since(id);
    };
    api.control.state.keep = 100;
    for (let n = 0; n < 2000; n++) api.control.emit('x', { message: 'm'.repeat(20_000) });
    await until(() => asked > 0);
    const seen = asked;
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));

    expect(asked - seen).toBeLessThan(5);
    socket.destroy();
    await until(() => api.control.listeners() === 0);
  });

  test('closing ends the streams', async () => {
    const reader = await follow('/v1/events');
    await api.api.close(100);
    await reader.ended;

    expect(api.control.listeners()).toBe(0);
  });
});

describe('waits', () => {
  test('a wait passes on revision and time; too long a one is refused', async () => {
    api.control.state.commits.set('main', commitStatus('main'));
    expect((await api.fetch('/v1/commits/main?wait=30s&revision=2')).status).toBe(200);
    expect((await api.fetch('/v1/commits/main?wait=500ms')).status).toBe(200);
    expect((await api.fetch('/v1/commits/main?wait=6m')).status).toBe(400);
    expect((await api.fetch('/v1/commits/main?wait=soon')).status).toBe(400);
    expect((await api.fetch('/v1/commits/main')).status).toBe(200);

    expect(api.control.calls).toEqual(['wait main 2 30000', 'wait main null 500']);
  });

  test('a caller who goes away ends the wait', async () => {
    const verdict = { done: false, ok: false, commit: 'main', message: '' };
    api.control.state.commits.set('main', commitStatus('main', { verdict }));
    const ends = new AbortController();
    const waiting = api
      .fetch('/v1/commits/main?wait=30s', { headers: api.as('viewer'), signal: ends.signal })
      .catch(() => null);
    await until(() => api.control.calls.length === 1);
    ends.abort();
    await waiting;
    await until(() => api.control.calls.includes('wait aborted'));

    expect(await (await api.fetch('/metrics')).text()).toContain('mainstay_http_streams_open 0');
  });

  test('more than the limit of streams is refused with a time to come back', async () => {
    const ends = new AbortController();
    const open = Array.from({ length: 256 }, () =>
      fetch(`${api.url}/v1/events`, { headers: api.as('viewer'), signal: ends.signal }),
    );
    const responses = await Promise.all(open);
    expect(responses.every((response) => response.ok)).toBe(true);
    const refused = await fetch(`${api.url}/v1/events`, { headers: api.as('viewer') });

    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await refused.json()).toMatchObject({ code: 'too-many-streams', retriable: true });
    ends.abort();
    await until(() => api.control.listeners() === 0);
    expect((await api.fetch('/status')).status).toBe(200);
  });
});

describe('logs', () => {
  const get = (query: string, accept: string) =>
    api.fetch(`/v1/units/web/logs${query}`, { headers: { ...api.as('viewer'), accept } });

  test('as lines, as a page, as events', async () => {
    expect(await (await get('', '*/*')).text()).toBe('hello\nworld\n');
    expect(await (await get('?tail=5', 'application/json')).json()).toEqual({
      items: [
        { at: 1, stream: 'stdout', text: 'hello' },
        { at: null, stream: 'stderr', text: 'world' },
      ],
      next: null,
    });
    expect(await (await get('', 'text/event-stream')).text()).toContain('event: stderr\ndata: {"at":null,');
  });

  test('followed as JSON they come as events until the reader leaves', async () => {
    const reader = await follow('/v1/units/web/logs?follow=true', { accept: 'application/json' });
    await until(() => reader.blocks.length === 2);
    reader.leave();
    await reader.ended;
  });

  test('a unit that does not exist is 404 before any stream begins', async () => {
    expect((await api.fetch('/v1/units/nobody/logs?follow=true')).status).toBe(404);
    expect((await api.fetch('/v1/units/..%2Fetc/logs')).status).toBe(400);
  });
});
