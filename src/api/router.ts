/** From method and path to the route's pipeline. What no route takes goes through the same checks first. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { TrieRouter } from 'hono/router/trie-router';
import { failure } from '../base/result.ts';
import { openExchange } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { noRoutePipeline, routePipeline } from './pipeline.ts';
import type { PipelineParts } from './pipeline.ts';
import type { Route } from './route.ts';
import { ROUTES } from './routes.ts';

type Pipeline = (exchange: Exchange) => Promise<void>;

/** Serves requests whose response has its common headers; `closing` ends their streams and waits. */
export function createRouter(parts: PipelineParts, closing: AbortSignal): RequestListener {
  const router = new TrieRouter<Pipeline>();
  for (const route of ROUTES) router.add(route.method, honoPath(route), routePipeline(route, parts));
  for (const [path, routes] of Map.groupBy(ROUTES, honoPath)) {
    const allow = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
    const reason = failure('method-not-allowed', `This path takes ${allow}.`, { details: { allow } });
    router.add('ALL', path, noRoutePipeline(reason, { Allow: allow }, parts));
  }
  const unknown = failure('unknown-route', 'No route has this path. GET /openapi.json lists all of them.');
  const noRoute = noRoutePipeline(unknown, {}, parts);
  return (request, response) => {
    const path = pathOf(request);
    if (path === null) {
      answerMalformed(response);
      return;
    }
    const [matches] = router.match(request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET'), path);
    const [pipeline, params] = matches[0] ?? [noRoute, {}];
    void pipeline(openExchange(request, response, decoded(params), closing));
  };
}

function honoPath({ path }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** Null when the request line or the Host header makes no URL. */
function pathOf({ url = '', headers }: IncomingMessage): string | null {
  const { host = '' } = headers;
  if (!/^[^\s/?#@\\]+$/.test(host)) return null;
  return URL.parse(url.startsWith('/') ? `http://${host}${url}` : url)?.pathname ?? null;
}

/** What is no valid percent encoding stays as it came. */
function decoded(params: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decode(String(value))]));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Nothing has looked at a token yet, and nothing more is said. */
function answerMalformed(response: ServerResponse): void {
  const body = {
    code: 'invalid-request',
    message: 'The request line or the Host header is malformed.',
    retriable: false,
  };
  response.writeHead(400, { 'Content-Type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}
