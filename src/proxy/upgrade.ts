/**
 * Carries a WebSocket: the handshake to a target, then bytes both ways until either side ends. On node:http alone:
 * http-proxy cannot ask the next target when one refuses, nor say why a handshake failed.
 */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { answerBadGateway, answerUnavailable } from './answer.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import type { Exchange } from './exchange.ts';
import type { Target } from './generation.ts';

const CONNECT_MS = 5_000;
const KEEPALIVE_MS = 30_000;

export interface UpgradeExchange extends Exchange {
  readonly socket: Socket;
  readonly head: Buffer;
}

/** True for what is passed on as an upgrade; anything else with an `Upgrade` header is an ordinary request. */
export function isWebSocket(request: IncomingMessage): boolean {
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';
}

/** Starts it; the caller watches the client's socket for the end. */
export function forwardUpgrade(exchange: UpgradeExchange): void {
  const { request, socket, host } = exchange;
  // Both are hop-by-hop, and here they are meant for the app too.
  const headers = { ...requestHeaders(request, host), connection: 'Upgrade', upgrade: 'websocket' };
  // Each target that is tried listens on it.
  socket.setMaxListeners(0);
  socket.setTimeout(0);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEPALIVE_MS);
  attempt(exchange, headers, new Set());
}

function attempt(exchange: UpgradeExchange, headers: Record<string, unknown>, tried: Set<Target>): void {
  const { app, generation, request, response, socket } = exchange;
  const target = generation.pick(tried);
  if (target === null) {
    generation.errors += 1;
    response.shouldKeepAlive = false;
    answerUnavailable(response, app);
    return;
  }
  let connected = false;
  let settled = false;
  target.inFlight += 1;
  const upstream = httpRequest({
    host: target.host,
    port: target.port,
    path: request.url,
    headers: headers as Record<string, string>,
    agent: false,
  });
  const abort = (): void => void upstream.destroy();
  socket.once('close', abort);
  limitConnect(upstream, () => (connected = true));
  upstream.once('upgrade', (answer, far, head) => {
    settled = true;
    join(exchange, answer, far, head);
  });
  upstream.once('response', (answer) => {
    settled = true;
    decline(exchange, answer);
  });
  upstream.once('close', () => {
    if (!settled) socket.off('close', abort);
  });
  // Counted until the client's side ends, which is also when a joined upstream ends.
  let counted = true;
  const uncount = (): void => {
    if (counted) target.inFlight -= 1;
    counted = false;
  };
  socket.once('close', uncount);
  upstream.on('error', () => {
    if (settled || socket.destroyed) return;
    settled = true;
    uncount();
    if (!connected) {
      tried.add(target);
      generation.refused(target);
      attempt(exchange, headers, tried);
      return;
    }
    generation.errors += 1;
    response.shouldKeepAlive = false;
    answerBadGateway(response, app);
  });
  upstream.end();
}

function limitConnect(upstream: ClientRequest, onConnect: () => void): void {
  const timer = setTimeout(() => upstream.destroy(new Error('connect timeout')), CONNECT_MS);
  upstream.once('close', () => clearTimeout(timer));
  upstream.once('socket', (far) => {
    far.once('connect', () => {
      clearTimeout(timer);
      onConnect();
    });
  });
}

/** The app agreed: from here on it is bytes. */
function join(
  { socket, head, response }: UpgradeExchange,
  answer: IncomingMessage,
  far: Socket,
  farHead: Buffer,
): void {
  response.detachSocket(socket);
  far.on('error', () => socket.destroy());
  socket.on('error', () => far.destroy());
  far.setTimeout(0);
  far.setNoDelay(true);
  far.setKeepAlive(true, KEEPALIVE_MS);
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket'];
  const headers = responseHeaders(answer);
  for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i] ?? ''}: ${headers[i + 1] ?? ''}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (farHead.length > 0) socket.write(farHead);
  if (head.length > 0) far.write(head);
  far.pipe(socket);
  socket.pipe(far);
  far.once('close', () => socket.destroySoon());
  socket.once('close', () => far.destroySoon());
}

/** The app answered with something else than 101: an ordinary answer, and the connection ends after it. */
function decline({ response, socket }: UpgradeExchange, answer: IncomingMessage): void {
  response.shouldKeepAlive = false;
  try {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', responseHeaders(answer));
  } catch {
    socket.destroy();
    return;
  }
  answer.once('error', () => socket.destroy());
  answer.once('close', () => {
    if (!answer.complete) socket.destroy();
  });
  answer.pipe(response);
}
