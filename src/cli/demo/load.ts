/** A client that asks the app all the time, one request after the other, and counts every answer that is not 200. */
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LoadCount {
  readonly requests: number;
  readonly failed: number;
  /** The longest answer. */
  readonly slowest_ms: number;
  /** What the first failed request saw; empty when none failed. */
  readonly first_failure: string;
}

export interface Load {
  stop(): Promise<LoadCount>;
}

const PAUSE_MS = 5;
const LIMIT_MS = 5000;

export function startLoad(url: string): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const state = { stopped: false, requests: 0, failed: 0, slowest_ms: 0, first_failure: '' };
  const loop = async () => {
    while (!state.stopped) {
      const begun = performance.now();
      const problem = await askOnce(url, agent);
      state.requests += 1;
      state.slowest_ms = Math.max(state.slowest_ms, Math.round(performance.now() - begun));
      if (problem !== null) {
        state.failed += 1;
        state.first_failure ||= problem;
      }
      await sleep(PAUSE_MS);
    }
  };
  const running = loop();
  return {
    stop: async () => {
      state.stopped = true;
      await running;
      agent.destroy();
      const { requests, failed, slowest_ms, first_failure } = state;
      return { requests, failed, slowest_ms, first_failure };
    },
  };
}

function askOnce(url: string, agent: Agent): Promise<string | null> {
  return new Promise((settle) => {
    const request = get(url, { agent, timeout: LIMIT_MS }, (answer) => {
      answer.resume();
      answer.on('end', () => settle(answer.statusCode === 200 ? null : `status ${answer.statusCode}`));
      answer.on('error', (error) => settle(error.message));
    });
    request.on('timeout', () => request.destroy(new Error(`no answer in ${LIMIT_MS} ms`)));
    request.on('error', (error) => settle(error.message));
  });
}
