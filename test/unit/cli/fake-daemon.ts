/** An HTTP server that answers what the test says and keeps what it was asked. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly body: unknown;
}

export interface FakeDaemon extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly Asked[];
}

/** A value is sent as JSON with 200; a function answers by itself. */
export type Reply = object | ((response: ServerResponse, asked: Asked) => void);

export async function fakeDaemon(replies: Readonly<Record<string, Reply>>): Promise<FakeDaemon> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void take(request).then((one) => {
      asked.push(one);
      const reply = replies[`${one.method} ${one.path.split('?')[0]}`];
      if (typeof reply === 'function')
        (reply as (response: ServerResponse, asked: Asked) => void)(response, one);
      else if (reply === undefined)
        refuse(response, 404, { code: 'route-unknown', message: 'no such route' });
      else response.setHeader('content-type', 'application/json').end(JSON.stringify(reply));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

export function refuse(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function take(request: IncomingMessage): Promise<Asked> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    token: request.headers.authorization ?? '',
    body: text === '' ? null : (JSON.parse(text) as unknown),
  };
}
