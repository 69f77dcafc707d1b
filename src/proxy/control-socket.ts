/**
 * The proxy's side of the control socket: one process per DATA, and each request handed to `handle`. The listening
 * socket is the lock: it dies with the process, and a connect tells a live one from what a crash left behind.
 */
import { chmod, link, rename, rm, stat } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { isListenedOn } from '../adapters/system/socket-owner.ts';
import { failure, type Result } from '../base/result.ts';
import { messageOf } from '../base/thrown.ts';
import { CONTROL_SOCKET, lineReader, type ControlAnswer, type ControlRequest } from './protocol.ts';

const TAKE_ATTEMPTS = 5;
const CONNECTIONS_MAX = 32;

export interface ControlSocket {
  /** Gives the lock up, so that another process may start. `cut`: those who are connected lose the connection. */
  release(cut: boolean): void;
  /** False once the socket file is gone or is somebody else's: nobody can steer this process any more. */
  owned(): Promise<boolean>;
}

export type ControlHandler = (request: ControlRequest) => Promise<Result<unknown>>;

/**
 * Listens on the control socket in the working folder (which keeps the path short wherever DATA is). Null when
 * another process already does.
 */
export async function openControlSocket(handle: ControlHandler): Promise<ControlSocket | null> {
  for (let n = 0; n < TAKE_ATTEMPTS; n += 1) {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      serve(socket, handle);
    });
    server.maxConnections = CONNECTIONS_MAX;
    if (await listens(server)) {
      await chmod(CONTROL_SOCKET, 0o600);
      const mine = (await stat(CONTROL_SOCKET)).ino;
      return {
        owned: async () => (await stat(CONTROL_SOCKET).catch(() => null))?.ino === mine,
        release(cut) {
          server.close();
          if (cut) for (const socket of sockets) socket.destroy();
        },
      };
    }
    if (await isListenedOn(CONTROL_SOCKET)) return null;
    if (!(await clearStale())) return null;
  }
  return null;
}

/** Moves the dead socket aside and looks again before it is deleted: another starter may have been faster. */
async function clearStale(): Promise<boolean> {
  const aside = `${CONTROL_SOCKET}.${String(process.pid)}`;
  try {
    await rename(CONTROL_SOCKET, aside);
  } catch {
    return true;
  }
  const alive = await isListenedOn(aside);
  if (alive) await link(aside, CONTROL_SOCKET).catch(() => undefined);
  await rm(aside, { force: true });
  return !alive;
}

function listens(server: Server): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen(CONTROL_SOCKET, () => resolve(true));
  });
}

function serve(socket: Socket, handle: ControlHandler): void {
  const read = lineReader((line) => {
    const request = parse(line);
    if (request === null) {
      socket.destroy();
      return;
    }
    void answer(socket, request, handle);
  });
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (!read(chunk)) socket.destroy();
  });
}

async function answer(socket: Socket, request: ControlRequest, handle: ControlHandler): Promise<void> {
  let reply: ControlAnswer;
  try {
    reply = { id: request.id, ...(await handle(request)) };
  } catch (error) {
    const reason = messageOf(error);
    reply = {
      id: request.id,
      ok: false,
      error: failure('proxy-failed', `The proxy could not ${request.op}: ${reason}.`, {
        retry: { kind: 'backoff' },
      }),
    };
  }
  if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
}

function parse(line: string): ControlRequest | null {
  try {
    const value = JSON.parse(line) as Partial<ControlRequest> | null;
    return typeof value?.id === 'number' && typeof value.op === 'string' ? (value as ControlRequest) : null;
  } catch {
    return null;
  }
}
