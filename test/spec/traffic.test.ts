/** Traffic through swaps: no failed request, long answers and streams are not cut, several apps share a port. */
import { describe, expect, test } from 'vitest';
import { freePort } from '../support/free-ports.ts';
import { ask, readEvents } from '../support/http-client.ts';
import { startLoad } from '../support/load.ts';
import { isAlive } from '../support/processes.ts';
import { openStage } from '../support/stage.ts';
import { eventually, within } from '../support/wait.ts';

const LIMIT = 120_000;
const SWAPS = 20;

describe('traffic', () => {
  test(
    `D12 keep-alive load during ${SWAPS} swaps: no failed request`,
    async () => {
      await using stage = await openStage();
      const b = await stage.source.commit('B');
      const load = startLoad(stage.port);
      for (let n = 0; n < SWAPS; n++) {
        const answer = await stage.deploy(n % 2 === 0 ? b : stage.first);
        expect(answer.body.success, answer.body.reason).toBe(true);
      }
      const result = await load.stop();
      expect(result.failures.slice(0, 5)).toEqual([]);
      expect(result.requests).toBeGreaterThan(500);
      expect([...result.bodies.keys()].sort()).toEqual(['A', 'B']);
    },
    LIMIT,
  );

  test(
    'D13 an answer, an event stream and a WebSocket in flight are not cut at the swap',
    async () => {
      await using stage = await openStage({ app: { drain_timeout_ms: 3_000 } });
      const b = await stage.source.commit('B');
      const slow = stage.get('/slow?ms=1500');
      const stream = await readEvents(`http://127.0.0.1:${stage.port}/sse`);
      const socket = new WebSocket(`ws://127.0.0.1:${stage.port}/ws`);
      const received: string[] = [];
      socket.addEventListener('message', (event) => received.push(String(event.data)));
      await within(
        'the WebSocket opens',
        new Promise((resolve) => socket.addEventListener('open', resolve)),
        3_000,
      );
      const answer = await stage.deploy(b);
      expect(answer.body.success).toBe(true);
      expect(await stage.text()).toBe('B');
      const count = stream.messages.length;
      await eventually('the event stream goes on after the swap', () => stream.messages.length > count + 3);
      expect(stream.ended()).toBeNull();
      socket.send('hello');
      await eventually('the WebSocket still answers from its version', () => received.includes('A:hello'));
      expect((await slow).text).toBe('begin end of A');
      await eventually(
        'the old version is drained at the limit',
        async () => (await stage.units()).length === 1,
        6_000,
      );
      await eventually('the stream is closed in the end', () => stream.ended() !== null);
      socket.close();
    },
    LIMIT,
  );

  test(
    'D13 an upload in flight reaches its version whole',
    async () => {
      await using stage = await openStage();
      const b = await stage.source.commit('B');
      const body = 'x'.repeat(2_000_000);
      const uploads = Array.from({ length: 6 }, () => stage.get('/echo', { method: 'POST', body }));
      await stage.deploy(b);
      for (const upload of await Promise.all(uploads)) expect(upload.text.length).toBe(body.length);
    },
    LIMIT,
  );

  test(
    'D14 the old version serves while the new one boots slowly',
    async () => {
      await using stage = await openStage();
      const slow = await stage.source.commit({ text: 'B', boot_ms: 2_000 });
      const load = startLoad(stage.port, { connections: 4 });
      const from = Date.now();
      const answer = await stage.deploy(slow);
      expect(answer.body.success).toBe(true);
      expect(Date.now() - from).toBeGreaterThan(1_900);
      const result = await load.stop();
      expect(result.failures).toEqual([]);
      expect(result.bodies.get('A') ?? 0).toBeGreaterThan(100);
      expect(await stage.text()).toBe('B');
    },
    LIMIT,
  );

  test(
    'D29 two apps share a port by host and by path; a bad deploy of one never affects the other',
    async () => {
      await using stage = await openStage({ app: { hosts: ['shop.example'], health_timeout_ms: 600 } });
      const [blog, bad] = [
        await stage.source.commit('blog'),
        await stage.source.commit({ text: 'bad', health: 500 }),
      ];
      const repo = stage.source.dir;
      const blogDoc = stage.doc({ name: 'blog', source: { repo, ref: blog }, hosts: ['blog.example'] });
      const docs = stage.doc({ name: 'docs', source: { repo, ref: blog }, path_prefix: '/docs' });
      const push = await stage.intent.change({ 'apps/blog.yaml': blogDoc, 'apps/docs.yaml': docs });
      expect(push.code, push.stderr).toBe(0);
      const at = async (host: string, path = '/'): Promise<string> =>
        (await stage.get(path, { headers: { host } })).text.trim();
      expect(await at('blog.example')).toBe('blog');
      expect(await at('BLOG.example:80')).toBe('blog');
      expect(await at('shop.example')).toBe('A');
      expect(await at('shop.example', '/docs/x')).toBe('blog');
      expect(await at('shop.example', '/docsother')).toBe('A');
      const load = startLoad(stage.port, { headers: { host: 'blog.example' }, connections: 4 });
      const before = await stage.mainstay.api('GET', '/status?app=blog');
      await stage.pushApp({ source: { repo, ref: bad } });
      await stage.pushApp({ start_command: 'no-such-program' });
      expect(await at('blog.example')).toBe('blog');
      expect((await load.stop()).failures).toEqual([]);
      const after = await stage.mainstay.api('GET', '/status?app=blog');
      expect(after.json()['live_slot']).toBe(before.json()['live_slot']);
      expect(await at('shop.example')).toBe('A');
    },
    LIMIT,
  );

  test(
    'replicas are balanced, and all of them are replaced',
    async () => {
      await using stage = await openStage({ app: { replicas: 3 } });
      const pids = new Set<string>();
      for (let n = 0; n < 30; n++) pids.add((await stage.get('/pid')).text);
      expect(pids.size).toBe(3);
      const b = await stage.source.commit('B');
      await stage.deploy(b);
      await eventually('the three old ones are gone', async () => (await stage.units()).length === 3);
      for (const pid of pids) expect(await isAlive(Number(pid))).toBe(false);
    },
    LIMIT,
  );

  test(
    'an app that is taken out of intent is stopped and its port is closed',
    async () => {
      await using stage = await openStage();
      const other = await freePort();
      await stage.intent.change({ 'apps/other.yaml': stage.doc({ name: 'other', port: other }) });
      expect((await ask(`http://127.0.0.1:${other}/`)).text.trim()).toBe('A');
      const push = await stage.intent.change({ 'apps/other.yaml': null });
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      await expect(ask(`http://127.0.0.1:${other}/`)).rejects.toThrow(/ECONNREFUSED/);
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );
});
