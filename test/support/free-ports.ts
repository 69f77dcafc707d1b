/**
 * Free loopback ports for tests, below the range that the kernel gives to outgoing connections, so that a port stays
 * free between choosing and using it. Each test worker takes from a range of its own.
 */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const LOWEST = 12_000;
const RANGE = 2_500;
const RANGES = 8;

const worker = Number(process.env['VITEST_POOL_ID'] ?? randomInt(RANGES)) % RANGES;
let next = randomInt(RANGE);

/** A port that nothing listens on now and that this worker does not hand out again soon. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = LOWEST + worker * RANGE + (next++ % RANGE);
    if (await canListen(port)) return port;
  }
  throw new Error('no free port found in 200 tries');
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
