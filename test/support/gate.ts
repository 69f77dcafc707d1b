/** An HTTP server of the test that programs under test ask and wait for: the test holds them at a chosen moment. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from './wait.ts';

export interface Gate extends AsyncDisposable {
  /** URL of a gate of this name. */
  url(name: string): string;
  /** Bodies that came to the gate of this name, in order. */
  bodies(name: string): readonly string[];
  /** How often it was asked. */
  count(name: string): number;
  /** Waits until it was asked at least `times` times. */
  reached(name: string, times?: number, limitMs?: number): Promise<void>;
  /** From now on the gate of this name holds who asks, until `open`. */
  shut(name: string): void;
  open(name: string): void;
}

/** Every gate is open until it is shut. */
export async function openGate(): Promise<Gate> {
  const asked = new Map<string, string[]>();
  const held = new Map<string, ServerResponse[]>();
  const server = createServer((request, response) => {
    const name = (request.url ?? '/').slice(1);
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.once('end', () => {
      asked.set(name, [...(asked.get(name) ?? []), body]);
      const waiting = held.get(name);
      if (waiting === undefined) response.end('go');
      else waiting.push(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const count = (name: string): number => asked.get(name)?.length ?? 0;
  return {
    url: (name) => `http://127.0.0.1:${port}/${name}`,
    bodies: (name) => asked.get(name) ?? [],
    count,
    reached: async (name, times = 1, limitMs = 10_000) => {
      await eventually(`gate ${name} is reached ${times} times`, () => count(name) >= times, limitMs);
    },
    shut: (name) => {
      if (!held.has(name)) held.set(name, []);
    },
    open: (name) => {
      for (const response of held.get(name) ?? []) response.end('go');
      held.delete(name);
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
