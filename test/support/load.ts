/**
 * A strict keep-alive load: every request that does not end as a whole 2xx answer is counted as failed; nothing is
 * retried, so a connection that is closed under a request shows.
 */
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface LoadResult {
  readonly requests: number;
  readonly failures: readonly string[];
  /** How many answers each body got. */
  readonly bodies: ReadonlyMap<string, number>;
  readonly longestMs: number;
  readonly connections: number;
}

export interface LoadOptions {
  readonly connections?: number;
  /** Pause of each connection between two requests; 0 goes as fast as it can. */
  readonly pauseMs?: number;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Load {
  requests(): number;
  failures(): readonly string[];
  stop(): Promise<LoadResult>;
}

/** Begins at once and goes on until `stop`. */
export function startLoad(port: number, options: LoadOptions = {}): Load {
  const connections = options.connections ?? 8;
  const pauseMs = options.pauseMs ?? 3;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const failures: string[] = [];
  const bodies = new Map<string, number>();
  let requests = 0;
  let longestMs = 0;
  let opened = 0;
  let going = true;

  const once = (): Promise<void> =>
    new Promise((resolve) => {
      const began = performance.now();
      let finished = false;
      const finish = (failure: string | null): void => {
        if (finished) return;
        finished = true;
        requests++;
        longestMs = Math.max(longestMs, performance.now() - began);
        if (failure !== null) failures.push(`${new Date().toISOString()} ${failure}`);
        resolve();
      };
      const request = httpRequest({
        host: '127.0.0.1',
        port,
        path: options.path ?? '/',
        agent,
        headers: { ...options.headers },
        timeout: 15_000,
      });
      request.once('socket', () => {
        if (!request.reusedSocket) opened++;
      });
      request.once('timeout', () => request.destroy(new Error('no answer in 15 s')));
      request.once('error', (error) => finish(`${error.message} (reused: ${request.reusedSocket})`));
      request.once('response', (response) => {
        let text = '';
        let broken: string | null = null;
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.once('error', (error) => (broken = `answer cut: ${error.message}`));
        response.once('close', () => {
          const status = response.statusCode ?? 0;
          if (!response.complete) broken ??= 'answer cut';
          if (broken === null && (status < 200 || status > 299))
            broken = `status ${status}: ${text.slice(0, 80)}`;
          if (broken === null) bodies.set(text.trim(), (bodies.get(text.trim()) ?? 0) + 1);
          finish(broken);
        });
      });
      request.end();
    });
  const worker = async (): Promise<void> => {
    while (going) {
      await once();
      if (pauseMs > 0) await delay(pauseMs);
    }
  };
  const workers = Array.from({ length: connections }, worker);
  return {
    requests: () => requests,
    failures: () => failures,
    stop: async () => {
      going = false;
      await Promise.all(workers);
      agent.destroy();
      return { requests, failures, bodies, longestMs, connections: opened };
    },
  };
}
