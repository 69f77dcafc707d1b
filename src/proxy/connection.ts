/** One connection of the daemon to the proxy process: calls out, answers back. Knows nothing of starting processes. */
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { err, failure, type Result } from '../base/result.ts';
import { CONTROL_SOCKET, lineReader, type ControlAnswer, type ControlCall } from './protocol.ts';

/** What fits into a socket address on every system that we run on, with room to spare. */
const SOCKET_PATH_BYTES_MAX = 96;
const CONNECT_MS = 2_000;

export interface Connection {
  /** Fails with `proxy-connection-lost` when the process ends first and `proxy-timeout` at the limit. */
  call(call: ControlCall, limitMs: number): Promise<Result<unknown>>;
  close(): void;
  lost(): boolean;
  /** Resolves when the connection has ended, by either side. */
  readonly ended: Promise<void>;
}

/** Null when nobody listens there. */
export async function dial(folder: string): Promise<Connection | null> {
  const path = join(folder, CONTROL_SOCKET);
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return dialPath(path);
  // A socket address is short; a path through a link in a private folder is as good.
  const detour = await mkdtemp(join(tmpdir(), 'ms-'));
  try {
    await symlink(dirname(path), join(detour, 'd'));
    return await dialPath(join(detour, 'd', CONTROL_SOCKET));
  } finally {
    await rm(detour, { recursive: true, force: true });
  }
}

function dialPath(path: string): Promise<Connection | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const timer = setTimeout(() => socket.destroy(new Error('timeout')), CONNECT_MS);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(createConnection(socket));
    });
    socket.on('error', () => {
      clearTimeout(timer);
      resolve(null);
    });
  });
}

function createConnection(socket: Socket): Connection {
  const waiting = new Map<number, (answer: Result<unknown>) => void>();
  let next = 1;
  const read = lineReader((line) => {
    const answer = JSON.parse(line) as ControlAnswer;
    waiting.get(answer.id)?.(answer.ok ? { ok: true, value: answer.value } : err(answer.error));
  });
  socket.on('data', (chunk: Buffer) => {
    try {
      if (!read(chunk)) socket.destroy();
    } catch {
      socket.destroy();
    }
  });
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => {
      for (const settle of waiting.values()) settle(lost());
      resolve();
    });
  });

  return {
    ended,
    lost: () => socket.destroyed,
    close: () => void socket.destroy(),
    call: (call, limitMs) =>
      new Promise((resolve) => {
        if (socket.destroyed) {
          resolve(lost());
          return;
        }
        const id = next;
        next += 1;
        const settle = (answer: Result<unknown>): void => {
          clearTimeout(timer);
          waiting.delete(id);
          resolve(answer);
        };
        const timer = setTimeout(() => settle(late(call.op, limitMs)), limitMs);
        waiting.set(id, settle);
        socket.write(`${JSON.stringify({ id, ...call })}\n`);
      }),
  };
}

function lost(): Result<never> {
  return err(
    failure('proxy-connection-lost', 'The proxy process ended before it answered.', {
      retry: { kind: 'after', ms: 100 },
    }),
  );
}

function late(op: string, limitMs: number): Result<never> {
  return err(
    failure('proxy-timeout', `The proxy did not answer "${op}" within ${String(limitMs)} ms.`, {
      retry: { kind: 'backoff' },
    }),
  );
}
