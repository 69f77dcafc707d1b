/**
 * Serves the intent repository over smart HTTP by running stock git's upload-pack and receive-pack. The caller has
 * already decided who may do what. Pushes meet the gate through hooks on two inherited pipes; when the client goes
 * away during a push, receive-pack is left to finish: the work was never the client's.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

import type { PushGate } from '../../model/push.ts';
import type { Log } from '../../ports.ts';
import { gitEnvironment } from '../system/git-environment.ts';
import { installHooks, PIPE_VARIABLE } from './hook-scripts.ts';
import { serveHooks } from './hook-session.ts';
import { relayOutput } from './pack-relay.ts';
import type { GitRepository } from './repository.ts';

export interface GitHostingOptions {
  readonly repository: GitRepository;
  readonly gate: PushGate;
  readonly hooksDir: string;
  readonly log: Log;
  readonly checkLimitMs?: number;
  readonly followLimitMs?: number;
  /** Size of one push, unpacked from its transfer encoding. */
  readonly pushMaxBytes?: number;
}

export interface GitCall {
  /** What follows the repository's URL: `/info/refs`, `/git-upload-pack`, `/git-receive-pack`. */
  readonly path: string;
  /** Name of the token that pushes. */
  readonly by: string;
}

export interface GitHosting {
  /** Answers the request whole; resolves when the answer has ended or its client is gone. Never rejects. */
  handle(req: IncomingMessage, res: ServerResponse, call: GitCall): Promise<void>;
  /** Ends what still runs. A push whose refs have moved stays pushed. */
  close(): Promise<void>;
}

type Service = 'git-upload-pack' | 'git-receive-pack';

const PUSH_MAX_BYTES = 1024 * 1024 * 1024;
const FETCH_REQUEST_MAX_BYTES = 64 * 1024 * 1024;
const CALLS_MAX = 64;
const CLOSE_LIMIT_MS = 3000;

/** Writes the hook scripts, then serves. */
export async function createGitHosting(options: GitHostingOptions): Promise<GitHosting> {
  await installHooks(options.hooksDir);
  const running = new Set<ChildProcess>();
  const track = (child: ChildProcess): void => {
    running.add(child);
    child.on('close', () => running.delete(child));
  };
  return {
    handle: async (req, res, call) => {
      req.socket.setNoDelay(true);
      const service = serviceOf(req, call.path);
      if (service === null) refuse(res, 404, 'no such git service; use a git client with smart HTTP');
      else if (running.size >= CALLS_MAX)
        refuse(res, 503, 'too many git clients at once; try again', { 'Retry-After': '5' });
      else if (call.path === '/info/refs') await advertise({ options, track }, { req, res, service });
      else await exchange({ options, track }, { req, res, service, by: call.by });
    },
    close: async () => {
      const ended = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)));
      // Without its pipe to us a hook says that Mainstay stopped, and git ends by itself.
      for (const child of running) for (const pipe of [child.stdio[3], child.stdio[4]]) pipe?.destroy();
      const timer = setTimeout(() => [...running].forEach((child) => child.kill('SIGTERM')), CLOSE_LIMIT_MS);
      await Promise.all(ended);
      clearTimeout(timer);
    },
  };
}

interface Host {
  readonly options: GitHostingOptions;
  readonly track: (child: ChildProcess) => void;
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly service: Service;
}

function serviceOf(req: IncomingMessage, path: string): Service | null {
  const method = req.method ?? 'GET';
  const name =
    path === '/info/refs'
      ? new URL(req.url ?? '/', 'http://localhost').searchParams.get('service')
      : path.slice(1);
  if (name !== 'git-upload-pack' && name !== 'git-receive-pack') return null;
  return (path === '/info/refs' ? method === 'GET' : method === 'POST') ? name : null;
}

async function advertise(host: Host, exchange: Exchange): Promise<void> {
  const { req, res, service } = exchange;
  const child = start(host, service, {
    args: ['--stateless-rpc', '--advertise-refs'],
    protocol: protocolOf(req),
    hooks: false,
  });
  head(res, `application/x-${service}-advertisement`);
  // Protocol 2 has no such preamble.
  if (service === 'git-receive-pack' || !/\bversion=2\b/.test(protocolOf(req))) {
    const text = `# service=${service}\n`;
    res.write(`${(text.length + 4).toString(16).padStart(4, '0')}${text}0000`);
  }
  child.stdin?.end();
  await relayOutput(child, res, { onLeft: () => child.kill('SIGTERM'), log: host.options.log });
}

async function exchange(host: Host, exchanged: Exchange & { readonly by: string }): Promise<void> {
  const { req, res, service, by } = exchanged;
  const encoding = req.headers['content-encoding'] ?? 'identity';
  if (req.headers['content-type'] !== `application/x-${service}-request`) {
    refuse(res, 415, `expected Content-Type: application/x-${service}-request`);
    return;
  }
  if (encoding !== 'identity' && encoding !== 'gzip' && encoding !== 'x-gzip') {
    refuse(res, 415, 'expected Content-Encoding: gzip, or none');
    return;
  }
  const pushes = service === 'git-receive-pack';
  const child = start(host, service, { args: ['--stateless-rpc'], protocol: protocolOf(req), hooks: pushes });
  const left = new AbortController();
  const { gate, log, checkLimitMs, followLimitMs, pushMaxBytes = PUSH_MAX_BYTES } = host.options;
  if (pushes) {
    const limits = { ...(checkLimitMs && { checkLimitMs }), ...(followLimitMs && { followLimitMs }) };
    const pipes = [child.stdio[3] as Readable, child.stdio[4] as Writable] as const;
    void serveHooks(...pipes, { gate, log, by, left: left.signal, ...limits });
  }
  head(res, `application/x-${service}-result`);
  const onLeft = (): void => {
    left.abort();
    // A fetch that nobody reads is of no use; a push that git has begun is finished.
    if (!pushes) child.kill('SIGTERM');
  };
  const maxBytes = pushes ? pushMaxBytes : FETCH_REQUEST_MAX_BYTES;
  const stages = [...(encoding === 'identity' ? [] : [createGunzip()]), limiter(maxBytes)];
  // A body that breaks off or is too large ends git's input early; git then refuses it whole.
  const fed = pipeline([req, ...stages, child.stdin as Writable]).catch((error: Error) => {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE')
      log.info('a git request ended early', { service, error: error.message });
    child.stdin?.destroy();
  });
  await relayOutput(child, res, { onLeft, log });
  await fed;
}

function start(
  host: Host,
  service: Service,
  how: { readonly args: readonly string[]; readonly protocol: string; readonly hooks: boolean },
): ChildProcess {
  const { repository, hooksDir, pushMaxBytes = PUSH_MAX_BYTES } = host.options;
  const settings = [
    `core.hooksPath=${hooksDir}`,
    `receive.maxInputSize=${pushMaxBytes}`,
    'transfer.hideRefs=refs/mainstay',
  ];
  const args = [
    ...repository.git.prefix.filter((arg) => !arg.startsWith('--')),
    ...settings.flatMap((setting) => ['-c', setting]),
  ];
  const child = spawn('git', [...args, service.slice(4), ...how.args, repository.place.gitDir], {
    stdio: how.hooks ? ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'] : ['pipe', 'pipe', 'pipe'],
    env: gitEnvironment({
      ...(how.protocol === '' ? {} : { GIT_PROTOCOL: how.protocol }),
      ...(how.hooks ? { [PIPE_VARIABLE]: '1' } : {}),
    }),
  });
  child.stdin?.on('error', () => undefined);
  host.track(child);
  return child;
}

function protocolOf(req: IncomingMessage): string {
  const asked = req.headers['git-protocol'];
  return typeof asked === 'string' && /^[a-z0-9=:.-]{1,100}$/i.test(asked) ? asked : '';
}

function limiter(maxBytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      seen += chunk.length;
      if (seen > maxBytes) done(new Error(`the request is larger than ${maxBytes} bytes`));
      else done(null, chunk);
    },
  });
}

function head(res: ServerResponse, type: string): void {
  res.writeHead(200, {
    'Content-Type': type,
    'Cache-Control': 'no-cache, max-age=0, must-revalidate',
    Expires: 'Fri, 01 Jan 1980 00:00:00 GMT',
    Pragma: 'no-cache',
    'X-Accel-Buffering': 'no',
  });
  res.flushHeaders();
}

function refuse(
  res: ServerResponse,
  status: number,
  message: string,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers });
  res.end(`${message}\n`);
}
