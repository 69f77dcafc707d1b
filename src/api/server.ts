/**
 * The HTTP server: where it listens, and its limits of connections and time. It listens before the daemon is ready
 * and answers 503 until `open` is called, so that its address is known first.
 */
import { setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { err, failure, ok } from '../base/result.ts';
import type { Failure, Result } from '../base/result.ts';
import type { Scrubber } from '../base/scrub.ts';
import type { ControlPlane } from '../model/control-plane.ts';
import type { Clock, Log, Random, TokenTable } from '../ports.ts';
import { createAccess } from './access.ts';
import { setCommonHeaders } from './exchange.ts';
import type { GitHost } from './git.ts';
import type { ListenAddress } from './listen.ts';
import { createApiCounts, renderMetrics } from './metrics.ts';
import type { ApiCounts } from './metrics.ts';
import { openApi } from './openapi.ts';
import type { PipelineParts } from './pipeline.ts';
import type { ApiParts } from './route.ts';
import { createRouter } from './router.ts';
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
  const serve = createRouter(parts, closing.signal);
  let opened = false;
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS },
    (request, response) => {
      setCommonHeaders(request, response, options.random);
      if (opened) serve(request, response);
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

function answerStarting(response: ServerResponse): void {
  const body = {
    code: 'starting',
    message: 'The daemon is starting. Ask again.',
    retriable: true,
    retry_after_ms: 1000,
  };
  response.writeHead(503, {
    'Content-Type': 'application/json; charset=utf-8',
    'Retry-After': '1',
    Connection: 'close',
  });
  response.end(JSON.stringify(body));
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
