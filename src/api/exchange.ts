/** One request and its response as the server hands them over: ids and common headers, and when it is over. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Random } from '../ports.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly correlationId: string;
  /** Aborts when the client has gone or the server closes. */
  readonly over: AbortController;
}

const CORRELATION_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const CORRELATION_HEADER = 'X-Correlation-Id';

/** On every response, whatever becomes of the request. A correlation id from outside is taken when it is plain. */
export function setCommonHeaders(
  { headers }: IncomingMessage,
  response: ServerResponse,
  random: Random,
): void {
  const given = headers['x-correlation-id'];
  const own = typeof given !== 'string' || !CORRELATION_ID.test(given);
  response.setHeader(CORRELATION_HEADER, own ? random.hex(8) : given);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-store');
}

/** After `setCommonHeaders`. */
export function openExchange(
  request: IncomingMessage,
  response: ServerResponse,
  params: Exchange['params'],
  closing: AbortSignal,
): Exchange {
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  const over = new AbortController();
  const stop = () => over.abort();
  closing.addEventListener('abort', stop, { once: true });
  response.once('close', () => {
    closing.removeEventListener('abort', stop);
    over.abort();
  });
  // A client that goes away while its answer is written is no error of ours.
  response.on('error', () => undefined);
  return {
    request,
    response,
    params,
    query: new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)),
    correlationId: String(response.getHeader(CORRELATION_HEADER)),
    over,
  };
}
