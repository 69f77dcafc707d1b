/**
 * Which route answers a request: exact host before any host, then the longest path prefix on whole segments. Pure;
 * knows nothing of connections.
 */
import type { ProxyRoute } from '../model/routes.ts';

export interface Router<T> {
  /** The route for a host (lower case, no port) and a request target in origin form; null when there is none. */
  match(host: string, target: string): T | null;
}

interface Entry<T> {
  readonly prefix: string;
  readonly value: T;
}

/** Compiles routes; `value` gives what `match` hands back for a route. */
export function createRouter<T>(routes: readonly ProxyRoute[], value: (route: ProxyRoute) => T): Router<T> {
  const byHost = new Map<string, Entry<T>[]>();
  const anyHost: Entry<T>[] = [];
  for (const route of routes) {
    const entry = { prefix: route.pathPrefix === '' ? '/' : route.pathPrefix, value: value(route) };
    if (route.hosts.length === 0) anyHost.push(entry);
    for (const host of route.hosts) {
      const entries = byHost.get(host.toLowerCase());
      if (entries === undefined) byHost.set(host.toLowerCase(), [entry]);
      else entries.push(entry);
    }
  }
  for (const entries of [anyHost, ...byHost.values()])
    entries.sort((a, b) => b.prefix.length - a.prefix.length);

  return {
    match(host, target) {
      const query = target.indexOf('?');
      const path = query === -1 ? target : target.slice(0, query);
      return longest(byHost.get(host), path) ?? longest(anyHost, path);
    },
  };
}

/** Host without port, lower case, without a trailing dot; null when it is not a host at all. */
export function hostName(host: string): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._~!$&'()*+;=%-]*)(?::\d*)?$/i.exec(host);
  return match === null ? null : (match[1] ?? '').toLowerCase().replace(/\.$/, '');
}

function longest<T>(entries: readonly Entry<T>[] | undefined, path: string): T | null {
  for (const { prefix, value } of entries ?? []) {
    if (prefix === '/' || path === prefix || path.startsWith(`${prefix}/`)) return value;
  }
  return null;
}
