/**
 * Hands out loopback ports for instances. Chooses below the range that the kernel gives to outgoing connections, so
 * that no stranger's connection takes a port between our test and the instance's own bind.
 */
import { createServer } from 'node:net';
import type { PortAllocator, Random } from '../../ports.ts';

export interface PortRange {
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
}

export interface PortAllocatorOptions {
  readonly random: Random;
  readonly range?: PortRange;
}

/** A PortAllocator that can also be told which ports adopted instances hold already. */
export interface ReservingPortAllocator extends PortAllocator {
  /** These belong to instances that a former daemon started; they are not handed out before `release`. */
  reserve(ports: readonly number[]): void;
}

const DEFAULT_RANGE: PortRange = { from: 20_000, to: 31_999 };

/** Throws when the whole range is taken. Safe to call from several places at once. */
export function createPortAllocator(options: PortAllocatorOptions): ReservingPortAllocator {
  const range = options.range ?? DEFAULT_RANGE;
  const size = range.to - range.from + 1;
  const taken = new Set<number>();

  async function allocateOne(): Promise<number> {
    const start = Math.floor(options.random.next() * size);
    for (let step = 0; step < size; step += 1) {
      const port = range.from + ((start + step) % size);
      if (taken.has(port)) continue;
      // Claimed before the wait, so that a second caller cannot test the same port meanwhile.
      taken.add(port);
      if (await isFree(port)) return port;
      taken.delete(port);
    }
    throw new Error(`no free port between ${range.from} and ${range.to} on 127.0.0.1`);
  }

  return {
    async allocate(count) {
      const ports: number[] = [];
      try {
        while (ports.length < count) ports.push(await allocateOne());
      } catch (error) {
        for (const port of ports) taken.delete(port);
        throw error;
      }
      return ports;
    },
    release(ports) {
      for (const port of ports) taken.delete(port);
    },
    reserve(ports) {
      for (const port of ports) taken.add(port);
    },
  };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
