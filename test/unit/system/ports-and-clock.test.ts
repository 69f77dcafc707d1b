/** Clock, random numbers and port allocation against the real machine. */
import { createServer, type Server } from 'node:net';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import { createPortAllocator } from '../../../src/adapters/system/port-allocator.ts';
import { systemRandom } from '../../../src/adapters/system/random.ts';

function listen(port: number, host: string): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

test('a sleep passes, and ends early with its signal', async () => {
  const abort = new AbortController();
  const long = systemClock.sleep(2 ** 40, abort.signal);
  expect(await systemClock.sleep(5)).toBe(true);
  expect(await systemClock.sleep(-1)).toBe(true);
  abort.abort();
  expect(await long).toBe(false);
  expect(await systemClock.sleep(5, abort.signal)).toBe(false);
});

test('random numbers lie in their range', () => {
  const next = systemRandom.next();
  expect(next >= 0 && next < 1).toBe(true);
  expect(systemRandom.hex(6)).toMatch(/^[0-9a-f]{12}$/);
});

test('ports are free, differ, and come back only after their release', async () => {
  const from = 20_000 + Math.floor(Math.random() * 10_000);
  const allocator = createPortAllocator({ random: systemRandom, range: { from, to: from + 19 } });

  const lists = await Promise.all([1, 2, 3, 4].map(() => allocator.allocate(2)));
  const ports = lists.flat();

  expect(new Set(ports).size).toBe(8);
  const servers = await Promise.all(ports.map((port) => listen(port, '127.0.0.1')));
  for (const server of servers) server.close();
  const first = ports[0] ?? 0;
  const rest: number[] = [];
  for (let more = true; more;) {
    more = await allocator.allocate(1).then(
      (got) => rest.push(...got) > 0,
      () => false,
    );
  }
  expect(rest).not.toContain(first);
  allocator.release([first]);
  expect(await allocator.allocate(1)).toEqual([first]);
});

test('a port that something listens on, on loopback or everywhere, is not handed out, nor a reserved one', async () => {
  const from = 20_000 + Math.floor(Math.random() * 10_000);
  const probe = createPortAllocator({
    random: { ...systemRandom, next: () => 0 },
    range: { from, to: from + 50 },
  });
  const [loopback, everywhere, reserved, free] = await probe.allocate(4);
  if (loopback === undefined || everywhere === undefined || reserved === undefined || free === undefined)
    throw new Error('no ports');
  const servers = [await listen(loopback, '127.0.0.1'), await listen(everywhere, '0.0.0.0')];
  try {
    const range = { from: loopback, to: free };
    const allocator = createPortAllocator({ random: { ...systemRandom, next: () => 0 }, range });
    allocator.reserve([reserved]);
    const [got] = await allocator.allocate(1);
    expect([loopback, everywhere, reserved]).not.toContain(got);
  } finally {
    for (const server of servers) server.close();
  }
});
