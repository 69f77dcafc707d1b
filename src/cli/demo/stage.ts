/** The demo's scene: a scratch folder, free ports, a daemon of its own, git without the user's settings. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { runLines } from './run-lines.ts';
import type { Ran } from './run-lines.ts';

export interface Stage {
  readonly dir: string;
  readonly data: string;
  /** The work tree that is pushed from. */
  readonly intent: string;
  readonly url: string;
  readonly appPort: number;
  readonly appUrl: string;
  /** Starts the daemon and waits until it answers. */
  startDaemon(): Promise<void>;
  /** A command in the intent work tree. */
  run(command: readonly string[], onLine?: (line: string) => void): Promise<Ran>;
  /** A mainstay command, told where the daemon is. */
  mainstay(args: readonly string[], onLine?: (line: string) => void): Promise<Ran>;
  /** The last of what the daemon printed. */
  daemonOutput(): string;
  /** Ends what runs, waits for it, and removes the folder unless it is kept. */
  close(keep: boolean): Promise<void>;
}

const START_LIMIT_MS = 60_000;
const COMMAND_LIMIT_MS = 120_000;
const END_LIMIT_MS = 30_000;
const MAX_OUTPUT = 64 * 1024;

export async function openStage(context: Context, signal: AbortSignal): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), 'mainstay-demo-'));
  const [port, appPort] = await freePorts();
  const data = join(dir, 'data');
  const url = `http://127.0.0.1:${port}`;
  const base = environment(context, dir);
  let output = '';
  let daemon: ChildProcess | null = null;
  const run: Stage['run'] = async (command, onLine) => {
    const env = { ...base, ...(await pushAccess(data)) };
    const more = onLine === undefined ? {} : { onLine };
    return runLines(command, { cwd: join(dir, 'intent'), env, limitMs: COMMAND_LIMIT_MS, signal, ...more });
  };
  return {
    dir,
    data,
    url,
    appPort,
    intent: join(dir, 'intent'),
    appUrl: `http://127.0.0.1:${appPort}/`,
    startDaemon: async () => {
      const args = [...context.self.slice(1), 'serve', '--data', data, '--listen', `127.0.0.1:${port}`];
      daemon = spawn(context.self[0] ?? 'node', [...args, '--nats', 'off', '--drain-on-exit'], {
        cwd: dir,
        env: base,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const keep = (chunk: Buffer) => (output = (output + chunk.toString('utf8')).slice(-MAX_OUTPUT));
      daemon.stdout?.on('data', keep);
      daemon.stderr?.on('data', keep);
      await answering(url, daemon, signal);
    },
    run,
    mainstay: (args, onLine) =>
      runLines([...context.self, ...args], {
        cwd: dir,
        env: { ...base, MAINSTAY_URL: url },
        limitMs: COMMAND_LIMIT_MS,
        signal,
        ...(onLine === undefined ? {} : { onLine }),
      }),
    daemonOutput: () => output.split('\n').slice(-20).join('\n'),
    close: async (keep) => {
      if (daemon !== null) await end(daemon);
      if (!keep) await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Nothing of the user's git settings, an author for the demo's commits, and this Node first on PATH for the app. */
function environment(context: Context, dir: string): Record<string, string | undefined> {
  const node = dirname(context.self[0] ?? '');
  return {
    PATH: [node, context.env['PATH'] ?? '/usr/bin:/bin'].join(delimiter),
    HOME: dir,
    LANG: context.env['LANG'],
    TMPDIR: context.env['TMPDIR'],
    NO_COLOR: '1',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Demo',
    GIT_AUTHOR_EMAIL: 'demo@localhost',
    GIT_COMMITTER_NAME: 'Demo',
    GIT_COMMITTER_EMAIL: 'demo@localhost',
  };
}

/** The token as a header in git's environment: on no command line and in no file. */
async function pushAccess(data: string): Promise<Record<string, string>> {
  const token = await readFile(join(data, 'operator.token'), 'utf8').catch(() => null);
  if (token === null) return {};
  const basic = Buffer.from(`demo:${token.trim()}`).toString('base64');
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  };
}

async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) server.close();
  return [ports[0] ?? 0, ports[1] ?? 0];
}

async function answering(url: string, daemon: ChildProcess, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  while (performance.now() < deadline && !signal.aborted) {
    if (daemon.exitCode !== null) throw new Error('the daemon ended at its start');
    const ready = await fetch(`${url}/healthz`, { signal }).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return;
    await sleep(20);
  }
  throw new Error(
    signal.aborted ? 'interrupted' : `the daemon did not answer within ${START_LIMIT_MS / 1000} s`,
  );
}

/** SIGTERM drains (the daemon was started so); a daemon that does not end is killed and said to be. */
async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const gone = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  const limit = sleep(END_LIMIT_MS, 'late' as const, { ref: false });
  if ((await Promise.race([gone, limit])) === 'late') daemon.kill('SIGKILL');
}
