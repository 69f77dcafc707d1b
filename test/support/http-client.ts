/** Small HTTP client for checks: one request on a connection of its own, no retries, no redirects, a limit each. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; fails when it is none. */
  json<T = Record<string, unknown>>(): T;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly limitMs?: number;
}

/** Fails on refused or reset connections and on answers that end early. */
export function ask(url: string, options: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, {
      method: options.method ?? 'GET',
      headers: { connection: 'close', ...options.headers },
      agent: false,
      signal: AbortSignal.timeout(options.limitMs ?? 20_000),
    });
    request.once('error', reject);
    request.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('error', reject);
      response.once('end', () => {
        if (!response.complete) return reject(new Error('the answer ended early'));
        const json = <T>(): T => JSON.parse(text) as T;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    request.end(options.body);
  });
}

export interface SseMessage {
  readonly at: number;
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export interface SseReader {
  readonly messages: readonly SseMessage[];
  /** Null while open; how it ended otherwise. */
  ended(): 'end' | 'error' | null;
  close(): void;
}

/** Opens a server-sent event stream; resolves when the headers came. */
export function readEvents(url: string, headers: Readonly<Record<string, string>> = {}): Promise<SseReader> {
  return new Promise((resolve, reject) => {
    const messages: SseMessage[] = [];
    let ended: 'end' | 'error' | null = null;
    const request = httpRequest(url, { agent: false, headers: { accept: 'text/event-stream', ...headers } });
    request.once('error', reject);
    request.once('response', (response) => {
      if (response.statusCode !== 200) {
        response.destroy();
        reject(new Error(`event stream answered ${response.statusCode}`));
        return;
      }
      let rest = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const message = parseBlock(block);
          if (message !== null) messages.push(message);
        }
      });
      response.once('end', () => (ended ??= 'end'));
      response.once('error', () => (ended ??= 'error'));
      response.once('close', () => (ended ??= 'error'));
      resolve({ messages, ended: () => ended, close: () => void request.destroy() });
    });
    request.on('error', () => undefined);
    request.end();
  });
}

function parseBlock(block: string): SseMessage | null {
  const field = (name: string): string =>
    block
      .split('\n')
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).trimStart())
      .join('\n');
  const data = field('data');
  const id = field('id');
  if (data === '' && id === '') return null;
  return { at: Date.now(), id, event: field('event'), data };
}
