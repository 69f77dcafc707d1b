/** What the proxy's tests stand on: a data plane in this process, apps that do as told, and a client that sees bytes. */
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { connect, createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { createDataPlane, type DataPlane } from '../../../src/proxy/data-plane.ts';
import type { ProxyGeneration, ProxyListener, ProxyRoute, ProxyTable } from '../../../src/model/routes.ts';
import { freePort } from '../../support/free-ports.ts';

export interface Stage {
  readonly plane: DataPlane;
  readonly port: number;
  /** One app "web" on the stage's port, led to these targets. */
  serve(generation: string, ...ports: readonly number[]): Promise<void>;
  /** An HTTP app on a port of its own, ended with the stage. */
  app(handler: RequestListener): Promise<App>;
  /** A TCP server that speaks HTTP by hand. */
  rawApp(onConnection: (socket: Socket) => void): Promise<number>;
  /** A connection to the proxy that keeps what came. */
  dial(port?: number): Promise<Wire>;
  end(): Promise<void>;
}

export interface App {
  readonly port: number;
  readonly server: Server;
}

export interface Wire {
  readonly socket: Socket;
  text(): string;
  send(...lines: readonly string[]): void;
  ended(): 'open' | 'end' | 'reset';
}

export async function openStage(): Promise<Stage> {
  const plane = createDataPlane();
  const port = await freePort();
  const ends: (() => void)[] = [];
  let version = 0;

  return {
    plane,
    port,
    async serve(generation, ...ports) {
      version += 1;
      const failures = await plane.apply(
        tableOf(version, [listener(port, route('web', group(generation, ...ports)))]),
      );
      if (failures.length > 0) throw new Error(failures[0]?.message);
    },
    async app(handler) {
      const server = createHttpServer({ keepAliveTimeout: 5_000 }, handler);
      ends.push(() => {
        server.close();
        server.closeAllConnections();
      });
      return { server, port: await listen(server) };
    },
    async rawApp(onConnection) {
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
        onConnection(socket);
      });
      ends.push(() => {
        server.close();
        for (const socket of sockets) socket.destroy();
      });
      return listen(server);
    },
    dial: async (to) => {
      const wire = await dialWire(to ?? port);
      ends.push(() => wire.socket.destroy());
      return wire;
    },
    async end() {
      for (const end of ends) end();
      await plane.close(0);
    },
  };
}

export async function listen(server: NetServer): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Resolves when connected. Errors are kept, not thrown. */
export function dialWire(port: number): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const parts: Buffer[] = [];
    let state: 'open' | 'end' | 'reset' = 'open';
    socket.on('data', (chunk: Buffer) => parts.push(chunk));
    socket.once('end', () => (state = 'end'));
    socket.once('error', (error) => {
      state = 'reset';
      reject(error);
    });
    socket.once('connect', () =>
      resolve({
        socket,
        text: () => Buffer.concat(parts).toString('latin1'),
        send: (...lines) => void socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'),
        ended: () => state,
      }),
    );
  });
}

export function group(id: string, ...ports: readonly number[]): ProxyGeneration {
  return { id, targets: ports.map((port) => ({ host: '127.0.0.1', port })) };
}

export function route(
  app: string,
  generation: ProxyGeneration | null,
  where: Partial<ProxyRoute> = {},
): ProxyRoute {
  return { app, hosts: [], pathPrefix: '/', generation, ...where };
}

export function listener(port: number, ...routes: readonly ProxyRoute[]): ProxyListener {
  return { host: '127.0.0.1', port, routes };
}

export function tableOf(version: number, listeners: readonly ProxyListener[]): ProxyTable {
  return { version, listeners };
}
