/**
 * The HTTP server: limits of connections and time, correlation ids, and from method and path to the route's pipeline.
 * It listens before the daemon is ready and answers 503 until `open` is called, so that its address is known first.
 */
import { setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { getRequestListener } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { err, failure, ok } from '../base/result.ts';
import type { Failure, Result } from '../base/result.ts';
import type { Scrubber } from '../base/scrub.ts';
import type { ControlPlane } from '../model/control-plane.ts';
import type { Clock, Log, Random, TokenTable } from '../ports.ts';
import { createAccess } from './access.ts';
import type { GitHost } from './git.ts';
import type { ListenAddress } from './listen.ts';
import { createApiCounts, renderMetrics } from './metrics.ts';
import type { ApiCounts } from './metrics.ts';
import { openApi } from './openapi.ts';
import { noRoutePipeline, routePipeline } from './pipeline.ts';
import type { Exchange, PipelineParts } from './pipeline.ts';
import type { ApiParts, Route } from './route.ts';
import { ROUTES } from './routes.ts';

export interface ApiOptions {
  readonly control: ControlPlane;
  readonly tokens: TokenTable;
  /** What DATA/operator.token holds; see `ensureOperatorToken`. */
  readonly operatorToken: string;
  readonly git: GitHost;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Masks error messages, events and logs on their way out. */
  readonly scrubber: Scrubber;
  readonly version: string;
  /** Checked with `checkListen` before. */
  readonly listen: ListenAddress;
  /** Host names under which a reverse proxy on this machine asks a loopback listener. */
  readonly allowedHosts?: readonly string[];
}

export interface ApiServer {
  /** As clients reach it, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** From now on requests are served; until then every one is answered 503 `starting`. */
  open(): void;
  /** Ends streams and waits, lets short requests finish for `graceMs` (default 2000), then cuts what is left. */
  close(graceMs?: number): Promise<void>;
}

/** Time for the headers of a request. */
const HEADERS_TIMEOUT_MS = 15_000;
/** Time for a whole request to arrive: long, for big pushes over slow lines. Bodies of JSON have a limit of their own. */
const REQUEST_TIMEOUT_MS = 30 * 60_000;
/** Longer than clients and reverse proxies keep theirs, so that they close first. */
const KEEP_ALIVE_MS = 75_000;
const CONNECTIONS_MAX = 2048;
const CLOSE_GRACE_MS = 2000;

/** Fails with `listen-failed`. */
export async function createApiServer(options: ApiOptions): Promise<Result<ApiServer>> {
  const closing = new AbortController();
  const counts = createApiCounts();
  setMaxListeners(0, closing.signal);
  const parts = pipelineParts(options, counts);
  const listener = getRequestListener(createRouter(parts, closing.signal).fetch, {
    overrideGlobalObjects: false,
    errorHandler: malformed,
  });
  let opened = false;
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS },
    (request, response) => {
      setCommonHeaders(request, response, options.random);
      if (opened) void listener(request, response);
      else answerStarting(response);
    },
  );
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.maxConnections = CONNECTIONS_MAX;
  const listening = await listen(server, options.listen);
  if (!listening.ok) {
    counts.close();
    return listening;
  }
  const { port } = listening.value;
  return ok({
    url: `http://${urlHost(options.listen.host)}:${port}`,
    port,
    open: () => {
      opened = true;
    },
    close: async (graceMs = CLOSE_GRACE_MS) => {
      closing.abort();
      counts.close();
      await close(server, graceMs, options.clock);
    },
  });
}

function pipelineParts(options: ApiOptions, counts: ApiCounts): PipelineParts {
  const { control, tokens, git, clock, random, scrubber, log, version } = options;
  scrubber.register(options.operatorToken);
  const description = openApi(ROUTES, version);
  const api: ApiParts = {
    control,
    tokens,
    git,
    clock,
    random,
    scrubber,
    openApi: () => description,
    metrics: async () => renderMetrics([...(await control.metrics()), ...counts.read()]),
  };
  return {
    api,
    access: createAccess({ tokens, operatorToken: options.operatorToken, clock }),
    counts,
    log,
    listenHost: options.listen.host,
    allowedHosts: options.allowedHosts ?? [],
  };
}

interface Env {
  readonly Bindings: HttpBindings;
}

function createRouter(parts: PipelineParts, closing: AbortSignal): Hono<Env> {
  const router = new Hono<Env>();
  const through =
    (pipeline: (exchange: Exchange) => Promise<void>) =>
    async (context: Context<Env>): Promise<Response> => {
      await pipeline(exchangeOf(context.env, context.req.param(), closing));
      return RESPONSE_ALREADY_SENT;
    };
  for (const route of ROUTES) router.on(route.method, honoPath(route), through(routePipeline(route, parts)));
  for (const [path, routes] of Map.groupBy(ROUTES, honoPath)) {
    const allow = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
    const reason = failure('method-not-allowed', `This path takes ${allow}.`, { details: { allow } });
    router.all(path, through(noRoutePipeline(reason, { Allow: allow }, parts)));
  }
  const unknown = failure('unknown-route', 'No route has this path. GET /openapi.json lists all of them.');
  router.notFound(through(noRoutePipeline(unknown, {}, parts)));
  return router;
}

function honoPath({ path }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

const CORRELATION_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const CORRELATION_HEADER = 'X-Correlation-Id';

/** On every response, whatever becomes of the request. */
function setCommonHeaders({ headers }: IncomingMessage, response: ServerResponse, random: Random): void {
  const given = headers['x-correlation-id'];
  const own = typeof given !== 'string' || !CORRELATION_ID.test(given);
  response.setHeader(CORRELATION_HEADER, own ? random.hex(8) : given);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-store');
}

function exchangeOf(
  { incoming, outgoing }: HttpBindings,
  params: Exchange['params'],
  closing: AbortSignal,
): Exchange {
  const url = incoming.url ?? '';
  const mark = url.indexOf('?');
  const over = new AbortController();
  const stop = () => over.abort();
  closing.addEventListener('abort', stop, { once: true });
  outgoing.once('close', () => {
    closing.removeEventListener('abort', stop);
    over.abort();
  });
  return {
    request: incoming,
    response: outgoing,
    params,
    query: new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)),
    correlationId: String(outgoing.getHeader(CORRELATION_HEADER)),
    over,
  };
}

function answerStarting(response: ServerResponse): void {
  const body = {
    code: 'starting',
    message: 'The daemon is starting. Ask again.',
    retriable: true,
    retry_after_ms: 1000,
  };
  response.writeHead(503, { 'Content-Type': JSON_TYPE, 'Retry-After': '1', Connection: 'close' });
  response.end(JSON.stringify(body));
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** The request line or the Host header makes no URL; nothing has looked at a token yet, and nothing more is said. */
function malformed(): Response {
  const body = {
    code: 'invalid-request',
    message: 'The request line or the Host header is malformed.',
    retriable: false,
  };
  return new Response(JSON.stringify(body), { status: 400, headers: { 'Content-Type': JSON_TYPE } });
}

function listen(server: Server, { host, port }: ListenAddress): Promise<Result<AddressInfo>> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(err(listenFailure(host, port, error))));
    server.listen(port, host.replace(/^\[(.*)\]$/, '$1'), () => resolve(ok(server.address() as AddressInfo)));
  });
}

function listenFailure(host: string, port: number, error: NodeJS.ErrnoException): Failure {
  const why = error.code === 'EADDRINUSE' ? 'something else listens there' : error.message;
  return failure(
    'listen-failed',
    `Cannot listen on ${host}:${port}: ${why}. Choose another address with --listen.`,
    {
      details: { host, port, code: error.code ?? '' },
    },
  );
}

/** What a client on this machine can connect to. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1';
  if (host === '::' || host === '[::]') return '[::1]';
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

async function close(server: Server, graceMs: number, clock: Clock): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  server.closeIdleConnections();
  const done = new AbortController();
  const late = clock.sleep(graceMs, done.signal).then((timeIsUp) => {
    if (timeIsUp) server.closeAllConnections();
  });
  await closed;
  done.abort();
  await late;
}
