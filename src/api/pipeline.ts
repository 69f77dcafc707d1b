/**
 * One request from its first line to its answer, in this order: host, token, route, role, body and fields, limit of
 * streams, handler. What is refused early has cost little; nobody without a token learns which routes there are.
 */
import type { IncomingMessage } from 'node:http';
import { err, failure, ok } from '../base/result.ts';
import type { Failure, Result } from '../base/result.ts';
import type { Role } from '../model/token.ts';
import type { Log } from '../ports.ts';
import type { Access, KnownCaller } from './access.ts';
import { readJson } from './body.ts';
import { internalFailure } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { hostAllowed } from './listen.ts';
import type { ApiCounts } from './metrics.ts';
import type { Answer, ApiParts, Call, Route } from './route.ts';
import { send } from './send.ts';
import { inputsOf } from './validate.ts';
import type { Validate } from './validate.ts';

export interface PipelineParts {
  readonly api: ApiParts;
  readonly access: Access;
  readonly counts: ApiCounts;
  readonly log: Log;
  readonly listenHost: string;
  readonly allowedHosts: readonly string[];
}

/** Streams and long waits open at once. */
const LONG_MAX = 256;

type Caller = Call['caller'];

const NOBODY: Caller = { name: 'nobody', role: 'none' };

/** The function that serves a route; it never rejects. */
export function routePipeline(route: Route, parts: PipelineParts): (exchange: Exchange) => Promise<void> {
  const validate = inputsOf(route);
  return async (exchange) => {
    const started = parts.api.clock.now();
    let by = '';
    try {
      const admitted = admit(route, exchange, parts);
      by = admitted.ok ? admitted.value.name : '';
      const done = admitted.ok
        ? await run({ route, validate, exchange, parts, caller: admitted.value })
        : refused(admitted.error);
      await send(done, exchange, parts.api, route.credentials);
    } catch (error) {
      parts.log.error('request failed unexpectedly', {
        route: route.id,
        correlation_id: exchange.correlationId,
        error,
      });
      await send(refused(internalFailure(exchange.correlationId)), exchange, parts.api);
    } finally {
      record(route, exchange, parts, { started, by });
    }
  };
}

/** For a path or method that no route has: the same checks first, then `reason`. */
export function noRoutePipeline(
  reason: Failure,
  headers: Readonly<Record<string, string>>,
  parts: PipelineParts,
) {
  return async (exchange: Exchange): Promise<void> => {
    const known = checkHost(exchange, parts) ?? identify(exchange, parts, 'bearer');
    for (const [name, value] of Object.entries(headers)) exchange.response.setHeader(name, value);
    await send(refused(known.ok ? reason : known.error), exchange, parts.api);
    parts.counts.request('none', exchange.response.statusCode, 0);
  };
}

function admit(route: Route, exchange: Exchange, parts: PipelineParts): Result<Caller> {
  const wrongHost = checkHost(exchange, parts);
  if (wrongHost !== null) return wrongHost;
  if (route.roles === 'open') return ok(NOBODY);
  const known = identify(exchange, parts, route.credentials ?? 'bearer');
  if (!known.ok) return known;
  const roles = rolesFor(route, exchange.query);
  if (roles.includes(known.value.role)) return known;
  return err(
    failure(
      'forbidden',
      `The role ${known.value.role} may not do this (${route.summary}). It takes ${roles.join(' or ')}.`,
      {
        details: { role: known.value.role, roles },
      },
    ),
  );
}

export function rolesFor(route: Route, query: URLSearchParams): readonly Role[] {
  const when = route.rolesWhen;
  if (when !== undefined && query.getAll(when.query).includes(when.equals)) return when.roles;
  return route.roles === 'open' ? [] : route.roles;
}

function checkHost({ request }: Exchange, parts: PipelineParts): Result<never> | null {
  const { host } = request.headers;
  if (hostAllowed(host, parts.listenHost, parts.allowedHosts)) return null;
  return err(
    failure(
      'wrong-host',
      'This listener is for this machine only: ask for it as 127.0.0.1 or localhost, and have a reverse proxy send that as Host.',
    ),
  );
}

function identify(
  { request }: Exchange,
  parts: PipelineParts,
  credentials: 'bearer' | 'basic',
): Result<KnownCaller> {
  return parts.access.identify(request.headers.authorization, credentials);
}

interface Run {
  readonly route: Route;
  readonly validate: Validate;
  readonly exchange: Exchange;
  readonly parts: PipelineParts;
  readonly caller: Caller;
}

async function run({ route, validate, exchange, parts, caller }: Run): Promise<Answer> {
  const { request, response, params, query } = exchange;
  const { signal } = exchange.over;
  const body =
    route.body === undefined ? ok({}) : await readJson(request, route.body, parts.api.clock, signal);
  if (!body.ok) return refused(body.error);
  const inputs = validate({ params, query, body: body.value });
  if (!inputs.ok) return refused(inputs.error);
  if (route.long === true) {
    if (parts.counts.streams.open >= LONG_MAX) return refused(tooMany());
    parts.counts.streams.open += 1;
    response.once('close', () => (parts.counts.streams.open -= 1));
  }
  return route.handle(
    {
      caller,
      ...inputs.value,
      header: (name) => headerOf(request, name),
      signal,
      stillAllowed: () => admit(route, exchange, parts).ok,
      raw: { request, response },
    },
    parts.api,
  );
}

function tooMany(): Failure {
  return failure(
    'too-many-streams',
    `${LONG_MAX} streams and waits are open, which is the limit. Close some, or try again.`,
    {
      retry: { kind: 'after', ms: 5000 },
    },
  );
}

function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' ? value : null;
}

function refused(reason: Failure): Answer {
  return { kind: 'failure', failure: reason };
}

function record(
  route: Route,
  exchange: Exchange,
  parts: PipelineParts,
  call: { readonly started: number; readonly by: string },
): void {
  const { request, response, correlationId } = exchange;
  const tookMs = parts.api.clock.now() - call.started;
  const status = response.statusCode;
  parts.counts.request(route.id, status, tookMs / 1000);
  const fields = { route: route.id, status, took_ms: tookMs, by: call.by, correlation_id: correlationId };
  if (status >= 500 && status !== 503) parts.log.error('request failed', fields);
  else if (isRefusal(status, request))
    parts.log.warn('request refused', { ...fields, from: request.socket.remoteAddress });
  else if (request.method !== 'GET' && request.method !== 'HEAD') parts.log.info('request', fields);
}

/** Git asks without credentials first, always: that is no attempt at anything. */
function isRefusal(status: number, { headers }: IncomingMessage): boolean {
  return status === 403 || (status === 401 && headers.authorization !== undefined);
}
