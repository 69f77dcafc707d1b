/**
 * Carries one request to a target and its answer back, with http-proxy doing the streaming. Decides what is tried
 * again: a target that refused the connection (nothing was sent yet), and once a safe request that met a pooled
 * connection which the app was just closing.
 */
import { PassThrough } from 'node:stream';
import { createProxyServer } from 'http-proxy';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { answerBadGateway, answerUnavailable } from './answer.ts';
import { awaitEarlyAnswer } from './early-answer.ts';
import { hasBody, requestHeaders, responseHeaders } from './headers.ts';
import type { Exchange } from './exchange.ts';
import type { Target } from './generation.ts';

const CONNECT_MS = 5_000;
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

interface Attempt {
  readonly exchange: Exchange;
  /** Holds the body back until the target has taken the connection; null without a body. */
  readonly body: PassThrough | null;
  upstream: ClientRequest | null;
  connected: boolean;
  bytesBefore: number;
  answered: boolean;
}

type Outcome = 'done' | 'refused' | 'stale' | 'ended' | 'failed';

const attempts = new WeakMap<IncomingMessage, Attempt>();

// Options given here would win over those of each call, so the target must never stand here.
const proxy = createProxyServer({ prependPath: false, selfHandleResponse: true });
proxy.on('proxyReq', (upstream, request) => began(upstream, attempts.get(request)));
proxy.on('proxyRes', (answer, request) => answered(answer, attempts.get(request)));

/** Resolves when the exchange is over, however it ended. */
export async function forward(exchange: Exchange): Promise<void> {
  const { app, generation, request, response } = exchange;
  const withBody = hasBody(request);
  request.headers = requestHeaders(request, exchange.host);
  const tried = new Set<Target>();
  let repeated = false;
  for (let target = generation.pick(tried); target !== null; target = generation.pick(tried)) {
    const outcome = await attempt(exchange, target, withBody);
    if (outcome === 'done' || response.destroyed) return;
    if (outcome === 'failed' || outcome === 'ended' || (outcome === 'stale' && repeated)) {
      generation.errors += 1;
      if (outcome === 'failed') answerBadGateway(response, app);
      else answerUnavailable(response, app);
      return;
    }
    if (outcome === 'refused') {
      tried.add(target);
      generation.refused(target);
    } else {
      repeated = true;
    }
    // Each attempt leaves a few listeners behind until the exchange is over.
    request.setMaxListeners(0);
    response.setMaxListeners(0);
  }
  generation.errors += 1;
  answerUnavailable(response, app);
}

async function attempt(exchange: Exchange, target: Target, withBody: boolean): Promise<Outcome> {
  const { request, response, generation } = exchange;
  const body = withBody ? new PassThrough() : null;
  const state: Attempt = {
    exchange,
    body,
    upstream: null,
    connected: false,
    bytesBefore: 0,
    answered: false,
  };
  attempts.set(request, state);
  target.inFlight += 1;
  try {
    const to = { target: { host: target.host, port: target.port }, agent: generation.agent };
    await proxy.web(request, response, body === null ? to : { ...to, buffer: body });
    return 'done';
  } catch {
    return state.answered ? 'done' : judge(state, withBody);
  } finally {
    target.inFlight -= 1;
  }
}

/** What a failure before any answer means. */
function judge(state: Attempt, withBody: boolean): Outcome {
  const upstream = state.upstream;
  if (!state.connected || upstream === null) return 'refused';
  const silent = (upstream.socket?.bytesRead ?? 0) === state.bytesBefore;
  const repeatable = !withBody && SAFE_METHODS.has(state.exchange.request.method ?? '');
  if (!silent || !repeatable) return 'failed';
  return upstream.reusedSocket ? 'stale' : 'ended';
}

/** The upstream request has its socket: new ones still connect, pooled ones are ready. */
function began(upstream: ClientRequest, state: Attempt | undefined): void {
  const socket = upstream.socket;
  if (state === undefined || socket === null) return;
  state.upstream = upstream;
  state.bytesBefore = socket.bytesRead;
  const open = (): void => {
    state.connected = true;
    if (state.body === null) return;
    awaitEarlyAnswer(upstream, socket);
    state.exchange.request.pipe(state.body);
  };
  if (!socket.connecting) {
    open();
    return;
  }
  const timer = setTimeout(() => upstream.destroy(new Error('connect timeout')), CONNECT_MS);
  upstream.once('close', () => clearTimeout(timer));
  socket.once('connect', () => {
    clearTimeout(timer);
    open();
  });
}

function answered(answer: IncomingMessage, state: Attempt | undefined): void {
  if (state === undefined) return;
  const { app, request, response, closing, generation } = state.exchange;
  state.answered = true;
  answer.once('aborted', () => {
    if (response.destroyed) return;
    generation.errors += 1;
    // Where the end of the connection marks the end of the body, only a reset tells that it was cut short.
    if (request.httpVersion === '1.0') request.socket.resetAndDestroy();
  });
  if (closing()) response.shouldKeepAlive = false;
  try {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', responseHeaders(answer));
  } catch {
    // What the app sent cannot be said in HTTP/1.1.
    answer.destroy();
    answerBadGateway(response, app);
    return;
  }
  let flowing = false;
  answer.pipe(response);
  answer.once('data', () => (flowing = true));
  // Headers go out now even if the first byte of the body is late; mostly they share a packet with it.
  setImmediate(() => {
    if (!flowing && !response.writableEnded && !response.destroyed) response.flushHeaders();
  });
}
