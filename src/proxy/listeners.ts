/** The public addresses that are open, and those on their way out. Decides what is opened, moved and closed when. */
import type { ListenFailure } from '../ports.ts';
import type { ProxyListener } from '../model/routes.ts';
import type { Destination } from './exchange.ts';
import { openListener, type Listener } from './listener.ts';
import type { Router } from './router.ts';

export interface Listeners {
  /** Opens those that are not open yet. Answers what could not be listened on. */
  open(wanted: readonly ProxyListener[]): Promise<readonly ListenFailure[]>;
  /** Gives each open one its routes, in one tick. */
  route(wanted: readonly ProxyListener[]): void;
  /** Closes those that are not wanted: they accept no more, what runs on them finishes. Answers how many. */
  leaveAllBut(wanted: readonly ProxyListener[]): number;
  /** Resolves when every closed one has ended its last connection. */
  gone(): Promise<unknown>;
  destroy(): void;
}

export function createListeners(routerOf: (listener: ProxyListener) => Router<Destination>): Listeners {
  const open = new Map<string, Listener>();
  const leaving = new Map<Listener, Promise<void>>();

  function leave(key: string, listener: Listener): void {
    const ended = listener.close().then(() => void leaving.delete(listener));
    open.delete(key);
    leaving.set(listener, ended);
  }

  return {
    async open(wanted) {
      const failures: ListenFailure[] = [];
      for (const listener of wanted) {
        const { host, port } = listener;
        if (open.has(address(listener))) continue;
        try {
          open.set(address(listener), await openListener(host, port, routerOf(listener)));
        } catch (error) {
          failures.push({ host, port, message: explain(host, port, error) });
        }
      }
      return failures;
    },
    route(wanted) {
      for (const spec of wanted) {
        const listener = open.get(address(spec));
        if (listener !== undefined) listener.router = routerOf(spec);
      }
    },
    leaveAllBut(wanted) {
      const stay = new Set(wanted.map(address));
      const gone = [...open].filter(([key]) => !stay.has(key));
      for (const [key, listener] of gone) leave(key, listener);
      return gone.length;
    },
    gone: () => Promise.all(leaving.values()),
    destroy() {
      for (const listener of leaving.keys()) listener.destroy();
    },
  };
}

function address({ host, port }: ProxyListener): string {
  return `${host} ${String(port)}`;
}

function explain(host: string, port: number, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  const where = `Cannot listen on ${host}:${String(port)}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${where}: another program uses this port. Find it with "ss -ltnp 'sport = :${String(port)}'" and stop it, or give the app another port.`;
    case 'EACCES':
      return `${where}: this port needs a privilege. Choose one from 1024 on, or lower net.ipv4.ip_unprivileged_port_start.`;
    case 'EADDRNOTAVAIL':
      return `${where}: this machine has no such address. Use 0.0.0.0, 127.0.0.1 or an address of this machine.`;
    default:
      return `${where}: ${code}.`;
  }
}
