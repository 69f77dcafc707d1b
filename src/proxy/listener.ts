/**
 * One public address: accepts connections within limits, finds each request's destination and counts it there.
 * Decides what never reaches an app; what reaches one is forwarded elsewhere.
 */
import { createServer, ServerResponse, type IncomingMessage, type Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { answer, answerBadRequest, answerNoRoute, answerUnavailable } from './answer.ts';
import { hasBody } from './headers.ts';
import { forward } from './forward.ts';
import { hostName, type Router } from './router.ts';
import { forwardUpgrade, isWebSocket } from './upgrade.ts';
import type { Destination } from './exchange.ts';

const CONNECTIONS_MAX = 16_384;
const HEADER_BYTES_MAX = 32 * 1024;
const HEADERS_MS = 15_000;
const KEEP_ALIVE_MS = 65_000;
const CHECK_MS = 5_000;
/** What idle clients get to send one more request, and be told that it is the last, before they are closed. */
const LINGER_MS = 1_000;
/** A client that sends nothing of an announced body for this long, at most twice this long, is cut off. */
const BODY_STALL_MS = 60_000;
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Replaced in one assignment: that is the swap. */
  router: Router<Destination>;
  /** Stops accepting, lets what runs finish; resolves when the last connection has ended. */
  close(): Promise<void>;
  /** Ends every connection. */
  destroy(): void;
}

/** Resolves when it listens; rejects with the system's error when it cannot. */
export function openListener(host: string, port: number, router: Router<Destination>): Promise<Listener> {
  let closing = false;
  const server = createServer({
    headersTimeout: HEADERS_MS,
    // None: uploads and streams may last. Stalled bodies are ended by progress, not by age.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    shouldUpgradeCallback: isUpgrade,
  });
  server.maxConnections = CONNECTIONS_MAX;
  // Bounded by size. A bound on the count drops headers silently, and with them the framing of a body.
  server.maxHeadersCount = 0;

  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const listener: Listener = {
    host,
    port,
    router,
    close: () => {
      closing = true;
      return closeSoftly(server, sockets);
    },
    destroy: () => server.closeAllConnections(),
  };
  server.on('request', (request, response) => {
    if (closing) response.shouldKeepAlive = false;
    if (hasBody(request)) guardBody(request);
    const found = route(listener.router, request, response);
    if (found !== null) serve(found, request, response, () => closing);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
    upgrade(listener.router, request, socket, head),
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      resolve(listener);
    });
  });
}

/** A handshake with a body would put that body where frames are expected. */
function isUpgrade(request: IncomingMessage): boolean {
  return isWebSocket(request) && !hasBody(request);
}

interface Found {
  readonly destination: Destination;
  readonly host: string;
}

/** Null when it was answered here. */
function route(
  router: Router<Destination>,
  request: IncomingMessage,
  response: ServerResponse,
): Found | null {
  const target = originForm(request);
  if (target === null) {
    answerBadRequest(response, 'host and request target must name one host and a path');
    return null;
  }
  if (
    request.headers['transfer-encoding'] !== undefined &&
    !/^chunked$/i.test(request.headers['transfer-encoding'])
  ) {
    answerBadRequest(response, 'the only transfer encoding known here is chunked');
    return null;
  }
  if (request.method === 'TRACE' || request.url === '*') {
    response.shouldKeepAlive = false;
    answer(response, request.url === '*' ? 200 : 405, `Methods: ${METHODS}`, { Allow: METHODS });
    return null;
  }
  const destination = router.match(target.name, request.url ?? '/');
  if (destination === null) answerNoRoute(response, target.name);
  return destination === null ? null : { destination, host: target.host };
}

/** Rewrites a target in absolute form; its host then counts, as RFC 9112 §3.2.2 has it. Null when it is malformed. */
function originForm(request: IncomingMessage): { readonly host: string; readonly name: string } | null {
  let host = request.headers.host ?? '';
  const url = request.url ?? '/';
  if (hostCount(request) > 1) return null;
  if (!url.startsWith('/') && url !== '*') {
    const match = /^https?:\/\/([^/?#]+)([^#]*)/i.exec(url);
    if (match === null) return null;
    host = match[1] ?? '';
    const rest = match[2] ?? '';
    request.url = rest.startsWith('/') ? rest : `/${rest}`;
  }
  const name = hostName(host);
  return name === null ? null : { host, name };
}

function hostCount(request: IncomingMessage): number {
  let count = 0;
  const raw = request.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]?.length === 4 && raw[i]?.toLowerCase() === 'host') count += 1;
  }
  return count;
}

function serve(
  { destination, host }: Found,
  request: IncomingMessage,
  response: ServerResponse,
  closing: () => boolean,
): void {
  const { app, generation } = destination;
  if (generation === null) {
    answerUnavailable(response, app);
    return;
  }
  response.once(
    'close',
    generation.accept(() => request.socket.destroy()),
  );
  response.on('error', () => undefined);
  forward({ app, generation, request, response, host, closing }).catch(() => response.destroy());
}

function upgrade(router: Router<Destination>, request: IncomingMessage, socket: Socket, head: Buffer): void {
  // From the first moment: a client may reset the connection before the app has answered.
  socket.on('error', () => socket.destroy());
  if (socket.destroyed) return;
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => socket.destroySoon());
  // Node before 24.9 knows no `shouldUpgradeCallback` and hands over every kind of upgrade.
  if (!isUpgrade(request)) {
    answerBadRequest(response, 'the only upgrade known here is a WebSocket');
    return;
  }
  const found = route(router, request, response);
  if (found === null) return;
  const { app, generation } = found.destination;
  if (generation === null) {
    answerUnavailable(response, app);
    return;
  }
  socket.once(
    'close',
    generation.accept(() => socket.destroy()),
  );
  try {
    forwardUpgrade({
      app,
      generation,
      request,
      response,
      host: found.host,
      closing: () => true,
      socket,
      head,
    });
  } catch {
    answerBadRequest(response, 'this handshake cannot be passed on');
  }
}

/** Ends a client that stalls in the middle of its body, unless it is the app that does not read. */
function guardBody(request: IncomingMessage): void {
  let seen = -1;
  const timer = setInterval(() => {
    const bytes = request.socket.bytesRead;
    if (bytes === seen && request.readableFlowing === true) request.socket.destroy();
    seen = bytes;
  }, BODY_STALL_MS);
  timer.unref();
  request.once('close', () => clearInterval(timer));
}

/**
 * `Server.close` of node:http would cut idle keep-alive connections at once, and a request just under way on one of
 * them with it. So: stop accepting, tell each that asks that this was the last answer, then end those still idle.
 */
function closeSoftly(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      server.closeIdleConnections();
      // Opened ahead of need and not used yet, which node:http takes for a request on its way.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    }, LINGER_MS);
    NetServer.prototype.close.call(server, () => {
      clearInterval(timer);
      // Ends the timer that node:http keeps for its connections; it no longer listens, which is reported and fine.
      server.close(() => undefined);
      resolve();
    });
  });
}
