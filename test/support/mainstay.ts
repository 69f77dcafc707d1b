/**
 * The real daemon as a process, on a scratch folder: started, killed, restarted, spoken to through its API and its
 * command line, and at the end stopped with everything it left running. What a test leaves over fails that test.
 * MAINSTAY_BIN names another implementation to test (a script for node, or an executable).
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-ports.ts';
import { ask, type Answer } from './http-client.ts';
import { openIntentRepo, type IntentRepo } from './intent-repo.ts';
import { isAlive, killNow, processesOf, proxyOf, type Found } from './processes.ts';
import { run, start, type Ran, type RunOptions, type Running } from './run-command.ts';
import { eventually, within } from './wait.ts';

/** The program under test. */
export const MAINSTAY_BIN =
  process.env['MAINSTAY_BIN'] ?? fileURLToPath(new URL('../../bin/mainstay.js', import.meta.url));

export interface MainstayOptions {
  /** Another program than MAINSTAY_BIN, for comparisons. */
  readonly bin?: string;
  /** Value of --intent; the daemon's own repository unless given. */
  readonly intent?: string;
  /** The same, as a path below the scratch folder. */
  readonly intentIn?: string;
  readonly flags?: readonly string[];
  /** Value of --nats (off); null leaves the flag out. */
  readonly nats?: string | null;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the scratch folder before the first start. */
  readonly before?: (root: string, data: string) => Promise<void>;
}

export interface Mainstay extends AsyncDisposable {
  /** Scratch folder of this test: the data folder, source repositories and clones lie below it. */
  readonly root: string;
  readonly data: string;
  readonly url: string;
  readonly token: string;
  /** Path of the bare intent repository. */
  readonly intentPath: string;
  /** Push URL with the operator's token. */
  readonly intentUrl: string;
  /** The daemon's pid, from daemon.json. */
  pid(): number;
  /** All output of all starts. */
  output(): string;
  /** Starts it (again) on the same data and port, and waits until it answers. */
  start(flags?: readonly string[]): Promise<void>;
  /** kill -9 of the daemon alone; resolves when it is gone. */
  kill9(): Promise<void>;
  /** A signal to the daemon; resolves with the exit code when it has ended. */
  end(signal: 'SIGTERM' | 'SIGINT'): Promise<number | null>;
  /** The proxy's process, when there is one. */
  proxy(): Promise<Found | undefined>;
  /** Asks the API with the operator's token. A body is sent as JSON. */
  api(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Runs `mainstay ARGS` as a person on this machine would. */
  cli(args: readonly string[], options?: RunOptions): Promise<Ran>;
  startCli(args: readonly string[], options?: RunOptions): Running;
  /** A person's clone; by HTTP unless told otherwise. */
  clone(name?: string, via?: 'http' | 'path'): Promise<IntentRepo>;
  /** Processes that belong to this test. */
  processes(): Promise<readonly Found[]>;
}

interface DaemonFile {
  readonly pid: number;
  readonly url: string;
}

/** Starts the daemon and waits for its first healthy answer. */
export async function startMainstay(options: MainstayOptions = {}): Promise<Mainstay> {
  const root = await mkdtemp(join(tmpdir(), 'mst-'));
  const data = join(root, 'data');
  await mkdir(join(root, 'tmp'));
  await options.before?.(root, data);
  const intent = options.intent ?? (options.intentIn === undefined ? null : join(root, options.intentIn));
  const bin = options.bin ?? MAINSTAY_BIN;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
    HOME: root,
    TMPDIR: join(root, 'tmp'),
    LANG: 'C.UTF-8',
    ...options.env,
  };
  let running: Running | null = null;
  let earlier = '';
  let known = { pid: -1, token: '' };

  const begin = async (flags: readonly string[] = []): Promise<void> => {
    if (running !== null) earlier += running.text();
    const words = ['serve', '--data', data, '--listen', `127.0.0.1:${port}`];
    if (options.nats !== null) words.push('--nats', options.nats ?? 'off');
    if (intent !== null) words.push('--intent', intent);
    const all = [bin, ...words, ...(options.flags ?? []), ...flags];
    const daemon = start(process.execPath, all, { env, cwd: root, limitMs: 600_000 });
    running = daemon;
    let exited = false;
    daemon.done.then(() => (exited = true)).catch(() => (exited = true));
    const ready = eventually(
      'the daemon answers /healthz',
      async () => {
        if (exited) return true;
        return (await ask(`${url}/healthz`, { limitMs: 2_000 })).status === 200;
      },
      60_000,
    );
    await ready.catch((error: unknown) => {
      throw new Error(`${String(error)}\n${daemon.text()}`, { cause: error });
    });
    if (exited) throw new Error(`the daemon ended at its start:\n${daemon.text()}`);
    const file = JSON.parse(await readFile(join(data, 'daemon.json'), 'utf8')) as DaemonFile;
    known = { pid: file.pid, token: (await readFile(join(data, 'operator.token'), 'utf8')).trim() };
  };
  const processes = (): Promise<readonly Found[]> => processesOf(root);
  const gone = async (pid: number): Promise<void> => {
    await eventually(`the daemon ${pid} has ended`, async () => !(await isAlive(pid)), 20_000);
  };
  const cliEnv = (extra: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    ...env,
    MAINSTAY_URL: url,
    MAINSTAY_TOKEN: known.token,
    NO_COLOR: '1',
    ...extra,
  });
  try {
    await begin();
  } catch (error) {
    await dispose(root);
    throw error;
  }
  return {
    root,
    data,
    url,
    get token() {
      return known.token;
    },
    intentPath: intent ?? join(data, 'intent.git'),
    get intentUrl() {
      return `http://x:${known.token}@127.0.0.1:${port}/intent.git`;
    },
    pid: () => known.pid,
    output: () => earlier + (running?.text() ?? ''),
    start: begin,
    kill9: async () => {
      killNow(known.pid);
      await gone(known.pid);
    },
    end: async (signal) => {
      process.kill(known.pid, signal);
      const ran = await within(`the daemon ends after ${signal}`, running!.done, 30_000);
      return ran.code;
    },
    proxy: () => proxyOf(data, [known.pid, running?.pid ?? -1]),
    api: (method, path, body) =>
      ask(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${known.token}`, 'content-type': 'application/json' },
        limitMs: 60_000,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    cli: (args, more = {}) =>
      run(process.execPath, [bin, ...args], { cwd: root, ...more, env: cliEnv(more.env) }),
    startCli: (args, more = {}) =>
      start(process.execPath, [bin, ...args], { cwd: root, ...more, env: cliEnv(more.env) }),
    clone: (name = 'clone', via = 'http') =>
      openIntentRepo(
        join(root, name),
        via === 'http' ? `http://x:${known.token}@127.0.0.1:${port}/intent.git` : join(data, 'intent.git'),
      ),
    processes,
    [Symbol.asyncDispose]: () => dispose(root),
  };
}

/** Ends every process of the folder, removes it, and fails when a process does not go away. */
async function dispose(root: string): Promise<void> {
  await eventually(
    'every process of the test has ended',
    async () => {
      const left = await processesOf(root);
      for (const one of left) killNow(one.pid);
      return left.length === 0;
    },
    10_000,
  );
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
}

/** Fails when the test left a process running; call after a shutdown. */
export async function expectNothingLeft(mainstay: Mainstay, limitMs = 3_000): Promise<void> {
  await eventually(
    'no process of Mainstay or its units is left',
    async () => {
      const left = await mainstay.processes();
      if (left.length > 0) throw new Error(left.map((one) => `${one.pid} ${one.argv.join(' ')}`).join('\n'));
      return true;
    },
    limitMs,
  );
}
