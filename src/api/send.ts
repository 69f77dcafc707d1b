/** From an answer to bytes on the wire. */
import type { IncomingMessage } from 'node:http';
import { errorAnswer } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { Answer, ApiParts, Route } from './route.ts';
import { createStreamWriter } from './stream.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

const CHALLENGE = {
  bearer: 'Bearer realm="mainstay"',
  basic: 'Basic realm="mainstay", charset="UTF-8"',
};

/** Resolves when the answer has been handed to the socket; a stream when it has ended. */
export async function send(
  answer: Answer,
  exchange: Exchange,
  parts: ApiParts,
  credentials: NonNullable<Route['credentials']> | 'bearer' = 'bearer',
): Promise<void> {
  switch (answer.kind) {
    case 'taken':
      return;
    case 'json':
      return end(exchange, answer.status, JSON_TYPE, JSON.stringify(answer.body));
    case 'text':
      return end(exchange, answer.status, answer.type, answer.body);
    case 'failure':
      return sendFailure(answer, exchange, parts, CHALLENGE[credentials]);
    case 'stream':
      return sendStream(answer, exchange, parts);
  }
}

function sendFailure(
  { failure }: Extract<Answer, { kind: 'failure' }>,
  exchange: Exchange,
  parts: ApiParts,
  challenge: string,
): void {
  const { request, response } = exchange;
  // The headers are out: all that is left is to make plain that the answer is not whole.
  if (response.headersSent) return void response.destroy();
  const { status, body, headers } = errorAnswer(failure, parts.scrubber);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (status === 401) response.setHeader('WWW-Authenticate', challenge);
  discardRest(request);
  end(exchange, status, JSON_TYPE, JSON.stringify(body));
}

async function sendStream(
  { type, pump }: Extract<Answer, { kind: 'stream' }>,
  { request, response, over }: Exchange,
  parts: ApiParts,
): Promise<void> {
  response.writeHead(200, {
    'Content-Type': type,
    'Cache-Control': 'no-cache, no-transform',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  if (request.method !== 'HEAD') await pump(createStreamWriter(response, over, parts.clock));
  response.end();
}

function end({ response, request }: Exchange, status: number, type: string, body: string): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

const DISCARD_MAX_BYTES = 16 * 1024 * 1024;

/**
 * A client that is still sending reads its answer only when it is done: closing under it would lose the answer. So
 * the rest of a refused body is read and dropped, up to a limit.
 */
function discardRest(request: IncomingMessage): void {
  if (request.complete) return;
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DISCARD_MAX_BYTES) request.destroy();
  });
}
