/** What the proxy itself answers when no app does: short plain text that says what is so. Decides wording and headers. */
import type { ServerResponse } from 'node:http';

/** Seconds after which a client may try again while nothing is healthy; a restart or a deploy is seldom faster. */
const RETRY_AFTER_S = 1;

export function answerUnavailable(response: ServerResponse, app: string): void {
  answer(response, 503, `No healthy version of app "${app}" is running right now. Try again in a moment.`, {
    'Retry-After': RETRY_AFTER_S,
  });
}

export function answerBadGateway(response: ServerResponse, app: string): void {
  answer(response, 502, `App "${app}" closed the connection without an answer.`);
}

export function answerNoRoute(response: ServerResponse, host: string): void {
  answer(response, 404, `No app is served here for host "${host.slice(0, 255)}" and this path.`);
}

export function answerBadRequest(response: ServerResponse, reason: string): void {
  response.shouldKeepAlive = false;
  answer(response, 400, `Bad request: ${reason}.`);
}

/** Sends one complete answer; after headers were sent there is only the end of the connection. */
export function answer(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string | number>> = {},
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = `${text}\n`;
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  response.end(body);
}
