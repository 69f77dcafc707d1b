/** Swaps under load with strict clients: no retry, keep-alive, every error counts. Old apps are killed after the drain. */
import { Agent, request } from 'node:http';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { group, listener, route, tableOf } from './stage.ts';
import { openProcessStage, type ProcessStage } from './process-stage.ts';

const SWAPS = 30;
const CLIENTS = 8;

let stage: ProcessStage;
beforeEach(async () => {
  stage = await openProcessStage();
});
afterEach(() => stage.end());

/** One request on a kept connection; the app's name, or why there was none. */
function ask(agent: Agent, method: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port: stage.port, agent, method, path });
    asked.on('error', (error) => resolve(`error ${error.message}`));
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', (error) => resolve(`error ${error.message}`));
      response.on('end', () => resolve(response.statusCode === 200 ? text : `status ${response.statusCode}`));
    });
    asked.end(method === 'POST' ? 'some body' : undefined);
  });
}

test(
  `${SWAPS} swaps with drain and kill under keep-alive load cost no request`,
  { timeout: 60_000 },
  async () => {
    const client = stage.client();
    const signal = new AbortController().signal;
    let app = await stage.app('v0');
    await client.apply(tableOf(1, [listener(stage.port, route('web', group('v0', app.port)))]));
    let running = true;
    let answered = 0;
    const wrong: string[] = [];
    const agents: Agent[] = [];
    const load = Array.from({ length: CLIENTS }, async (_none, n) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      agents.push(agent);
      for (let turn = 0; running; turn += 1) {
        const answer = await ask(agent, (turn + n) % 3 === 0 ? 'POST' : 'GET', n === 0 ? '/slow' : '/');
        answered += 1;
        if (!/^v\d+$/.test(answer)) wrong.push(answer);
      }
    });

    for (let n = 1; n <= SWAPS; n += 1) {
      const next = await stage.app(`v${n}`);
      await client.apply(tableOf(n + 1, [listener(stage.port, route('web', group(`v${n}`, next.port)))]));
      expect(await client.drain(`v${n - 1}`, 5_000, signal)).toEqual({ ok: true, value: 0 });
      const ended = once(app.child, 'exit');
      app.child.kill('SIGKILL');
      await ended;
      app = next;
    }
    running = false;
    await Promise.all(load);
    for (const agent of agents) agent.destroy();

    expect(wrong).toEqual([]);
    expect(answered).toBeGreaterThan(SWAPS * 10);
  },
);

test('a large upload streams through in bounded memory', { timeout: 60_000 }, async () => {
  const client = stage.client();
  const app = await stage.app('v0');
  await client.apply(tableOf(1, [listener(stage.port, route('web', group('v0', app.port)))]));
  const before = await client.stats();
  const block = Buffer.alloc(256 * 1024, 1);
  const asked = request({
    host: '127.0.0.1',
    port: stage.port,
    method: 'PUT',
    headers: { 'transfer-encoding': 'chunked' },
  });
  const response = once(asked, 'response');
  for (let sent = 0; sent < 50 * 1024 * 1024; sent += block.length) {
    if (!asked.write(block)) await once(asked, 'drain');
  }
  asked.end();
  const [answer] = (await response) as [{ statusCode: number; resume(): void }];
  answer.resume();

  expect(answer.statusCode).toBe(200);
  const after = await client.stats();
  const grown = (after.ok ? after.value.rssBytes : 0) - (before.ok ? before.value.rssBytes : 0);
  expect(grown / 2 ** 20).toBeLessThan(40);
});
