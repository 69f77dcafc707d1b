/** From method and path to the route's pipeline. What no route takes goes through the same checks first. */
import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { failure } from '../base/result.ts';
import { openExchange } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { noRoutePipeline, routePipeline } from './pipeline.ts';
import type { PipelineParts } from './pipeline.ts';
import type { Route } from './route.ts';
import { ROUTES } from './routes.ts';

interface Env {
  readonly Bindings: HttpBindings;
}

/** Serves requests whose response has its common headers; `closing` ends their streams and waits. */
export function createRouter(parts: PipelineParts, closing: AbortSignal): RequestListener {
  const router = new Hono<Env>();
  const through =
    (pipeline: (exchange: Exchange) => Promise<void>) =>
    async (context: Context<Env>): Promise<Response> => {
      const { incoming, outgoing } = context.env;
      await pipeline(openExchange(incoming, outgoing, context.req.param(), closing));
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
  const listener = getRequestListener(router.fetch, {
    overrideGlobalObjects: false,
    errorHandler: malformed,
  });
  return (request, response) => void listener(request, response);
}

function honoPath({ path }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** The request line or the Host header makes no URL; nothing has looked at a token yet, and nothing more is said. */
function malformed(): Response {
  const body = {
    code: 'invalid-request',
    message: 'The request line or the Host header is malformed.',
    retriable: false,
  };
  return new Response(JSON.stringify(body), {
    status: 400,
    headers: { 'Content-Type': 'application/json; charset=utf-8' },
  });
}
