/** The proxy's table from what is live: which ports listen, and which generation each route points to. Pure. */
import type { App } from '../model/intent.ts';
import type { ProxyGeneration, ProxyListener, ProxyRoute } from '../model/routes.ts';
import type { SeenInstance } from './observed.ts';

export interface RoutedApp {
  readonly app: App;
  /** Healthy instances of the live slot; none: the route answers 503. */
  readonly live: readonly SeenInstance[];
  /** Instances on whose INTERNAL_PORT something listens; the others are reached on PORT. */
  readonly internal: ReadonlySet<string>;
}

const LOOPBACK = '127.0.0.1';

/** Sorted, so that equal inputs give equal tables. */
export function makeListeners(apps: readonly RoutedApp[], publicHost: string): readonly ProxyListener[] {
  const listeners = new Map<string, { host: string; port: number; routes: ProxyRoute[] }>();
  const add = (host: string, port: number, route: ProxyRoute): void => {
    const key = `${host}:${port}`;
    const listener = listeners.get(key) ?? { host, port, routes: [] };
    listener.routes.push(route);
    listeners.set(key, listener);
  };
  for (const routed of [...apps].sort((a, b) => (a.app.name < b.app.name ? -1 : 1))) {
    const { app } = routed;
    add(publicHost, app.port, {
      app: app.name,
      hosts: app.hosts,
      pathPrefix: app.path_prefix,
      generation: generation(app.name, routed.live, (instance) => instance.port),
    });
    if (app.internal_port === undefined || app.internal_port === app.port) continue;
    const internal = (instance: SeenInstance): number =>
      routed.internal.has(instance.id) && instance.internalPort !== null
        ? instance.internalPort
        : instance.port;
    add(LOOPBACK, app.internal_port, {
      app: app.name,
      hosts: [],
      pathPrefix: '/',
      generation: generation(`${app.name}:internal`, routed.live, internal),
    });
  }
  return [...listeners.values()].sort((a, b) => a.port - b.port || (a.host < b.host ? -1 : 1));
}

/** Named by its instances: the same processes keep their connections, any other set is a new generation. */
function generation(
  name: string,
  instances: readonly SeenInstance[],
  portOf: (instance: SeenInstance) => number,
): ProxyGeneration | null {
  if (instances.length === 0) return null;
  const sorted = [...instances].sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    id: `${name}#${sorted.map((instance) => `${instance.id}:${instance.startedAt}`).join('+')}`,
    targets: sorted.map((instance) => ({ host: LOOPBACK, port: portOf(instance) })),
  };
}

/** Whether requests of that generation go to the instance, from the generation's id alone. */
export function leadsTo(generation: string, instance: Pick<SeenInstance, 'id' | 'startedAt'>): boolean {
  const named = generation.slice(generation.indexOf('#') + 1).split('+');
  return named.includes(`${instance.id}:${instance.startedAt}`);
}

/** Where people reach the app. */
export function publicUrl(app: App, publicHost: string): string {
  const host = app.hosts[0] ?? (publicHost === '0.0.0.0' || publicHost === '::' ? LOOPBACK : publicHost);
  return `http://${host}:${app.port}${app.path_prefix === '/' ? '/' : app.path_prefix}`;
}
