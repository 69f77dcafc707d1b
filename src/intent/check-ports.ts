/** Ports and routes over all apps: an internal port belongs to one app alone, a public one is shared by host and path. */
import type { Complaint, PlacedApp } from './complaint.ts';
import { shown } from './words.ts';

/** Clashes of ports, and of port with host and path. */
export function checkPorts(apps: readonly PlacedApp[]): Complaint[] {
  return [...checkInternal(apps), ...checkRoutes(apps)];
}

function checkInternal(apps: readonly PlacedApp[]): Complaint[] {
  const publicOwner = new Map<number, string>();
  for (const { app } of apps) if (!publicOwner.has(app.port)) publicOwner.set(app.port, app.name);
  const internalOwner = new Map<number, string>();
  return apps.flatMap(({ app, file, index }) => {
    const port = app.internal_port;
    if (port === undefined) return [];
    const [other, what] = [
      internalOwner.get(port) ?? publicOwner.get(port),
      internalOwner.has(port) ? 'internal_port' : 'port',
    ];
    if (!internalOwner.has(port)) internalOwner.set(port, app.name);
    if (other === undefined) return [];
    const message = `internal_port ${port} is the ${what} of ${shown(other)}: choose another one`;
    return [{ file, index, path: ['internal_port'], code: 'duplicate-port', message }];
  });
}

function checkRoutes(apps: readonly PlacedApp[]): Complaint[] {
  const owners = new Map<string, string>();
  return apps.flatMap(({ app, file, index }) => {
    const hosts = app.hosts.length === 0 ? ['*'] : app.hosts;
    return hosts.flatMap((host, place) => {
      const route = `${app.port} ${host} ${app.path_prefix}`;
      const other = owners.get(route);
      if (other === undefined) owners.set(route, app.name);
      if (other === undefined || other === app.name) return [];
      const named = host === '*' ? 'any host' : `host ${host}`;
      const message =
        `port ${app.port} with ${named} and path ${app.path_prefix} is already served by ${shown(other)}: ` +
        'choose another port, or set `hosts` or `path_prefix`';
      const path = host === '*' ? ['port'] : ['hosts', place];
      return [{ file, index, path, code: 'duplicate-route', message }];
    });
  });
}
