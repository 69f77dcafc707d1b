/**
 * Where pushes by path meet the daemon: a unix socket that the hooks of our bare repository know. Owns the socket, the
 * file that names it, and the repository's `core.hooksPath`. A followed work tree gets no hooks.
 */
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { err, failure, ok } from '../../base/result.ts';
import type { Result } from '../../base/result.ts';
import type { PushGate } from '../../model/push.ts';
import type { Log } from '../../ports.ts';
import { writeFileDurable } from '../system/durable-file.ts';
import { isListenedOn } from '../system/socket-owner.ts';
import { installHooks } from './hook-scripts.ts';
import { serveHooks } from './hook-session.ts';
import type { GitRepository } from './repository.ts';
import { setConfig } from './repository-files.ts';

/** The kernel holds 107 bytes on Linux, 103 elsewhere. */
const SOCKET_PATH_MAX_BYTES = 100;
const CONNECTIONS_MAX = 64;

export interface HookServerOptions {
  readonly repository: GitRepository;
  /** In the daemon's data folder; holds the scripts and the file that names the socket. */
  readonly hooksDir: string;
  readonly socketPath: string;
  readonly gate: PushGate;
  readonly log: Log;
  readonly checkLimitMs?: number;
  readonly followLimitMs?: number;
}

export interface HookServer {
  /** Where it listens: as asked, or a short path when that one is too long for a socket. */
  readonly socketPath: string;
  /** Ends open conversations; their hooks say that Mainstay stopped. */
  close(): Promise<void>;
}

/** Fails with `hook-socket-busy` when another daemon answers there, `hook-socket-failed` when it cannot listen. */
export async function createHookServer(options: HookServerOptions): Promise<Result<HookServer>> {
  const { repository, hooksDir, log } = options;
  await installHooks(hooksDir);
  const gitDir = await realpath(repository.place.gitDir);
  const connections = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    void serveHooks(socket, socket, { ...options, gitDir }).finally(() => socket.end());
  });
  server.maxConnections = CONNECTIONS_MAX;
  const place = await socketPlace(options.socketPath);
  const listening = await listen(server, place.file);
  if (!listening.ok) return listening;
  server.on('error', (error) => log.error('the hook socket failed', { error: error.message }));
  await chmod(place.file, 0o600);
  await writeFileDurable(path.join(hooksDir, 'socket'), `${place.file}\n`);
  if (repository.place.bare) await setConfig(repository.git, 'core.hooksPath', hooksDir);
  return ok({
    socketPath: place.file,
    close: async () => {
      for (const socket of connections) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      if (place.folder !== null) await rm(place.folder, { recursive: true, force: true });
    },
  });
}

async function socketPlace(asked: string): Promise<{ file: string; folder: string | null }> {
  if (Buffer.byteLength(asked) <= SOCKET_PATH_MAX_BYTES) return { file: asked, folder: null };
  const temporary = os.tmpdir().length > SOCKET_PATH_MAX_BYTES - 40 ? '/tmp' : os.tmpdir();
  // mkdtemp makes it for the owner alone.
  const folder = await mkdtemp(path.join(temporary, 'mainstay-'));
  return { file: path.join(folder, 'hooks.sock'), folder };
}

async function listen(server: net.Server, file: string): Promise<Result<void>> {
  const first = await tryListen(server, file);
  if (first === null) return ok();
  if (first.code === 'EADDRINUSE') {
    if (await isListenedOn(file)) {
      return err(
        failure(
          'hook-socket-busy',
          `another Mainstay runs with this data folder (it answers on ${file}); stop it first`,
        ),
      );
    }
    // Left behind by a daemon that was killed.
    await rm(file, { force: true });
    const second = await tryListen(server, file);
    if (second === null) return ok();
  }
  return err(failure('hook-socket-failed', `cannot listen on ${file}: ${first.message}`));
}

function tryListen(server: net.Server, file: string): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(file, () => {
      server.off('error', resolve);
      resolve(null);
    });
  });
}
