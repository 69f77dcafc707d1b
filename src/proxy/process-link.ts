/**
 * The daemon's link to the proxy process: connects to the one that runs, starts one when there is none, and does so
 * again when it is lost. Decides when a process is started or replaced; what is said over the link, others decide.
 */
import { join } from 'node:path';
import { sendSignal } from '../adapters/system/signal.ts';
import type { Clock, Log } from '../ports.ts';
import { dial, type Connection } from './connection.ts';
import { launchProxy, type Launched } from './launch.ts';
import { PROTOCOL, PROXY_FOLDER, type Hello } from './protocol.ts';

const HELLO_MS = 5_000;
const POLL_MS = 20;
/** How long a process may take until it answers. */
export const START_MS = 5_000;
const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 5_000;

export interface Link {
  readonly connection: Connection;
  readonly hello: Hello;
}

export interface ProcessLink {
  current(): Link | null;
  /** The link, once there is one; keeps trying until `close`, which makes it null. */
  ensure(): Promise<Link | null>;
  /** The process that runs or was just started; never starts one, also after `end`. */
  find(): Promise<Link | null>;
  /** No process is started again. */
  end(): void;
  close(): void;
}

export interface ProcessLinkOptions {
  readonly dataDir: string;
  readonly entry: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Runs on each new link before anybody else gets it. */
  readonly greet: (connection: Connection) => Promise<unknown>;
}

export function createProcessLink(options: ProcessLinkOptions): ProcessLink {
  const { dataDir, log, clock } = options;
  const folder = join(dataDir, PROXY_FOLDER);
  const over = new AbortController();
  let link: Link | null = null;
  let linking: Promise<Link | null> | null = null;
  let launched: Launched | null = null;

  /** Null when it did not come up in time. */
  async function reach(): Promise<Link | null> {
    const until = clock.now() + START_MS;
    while (!over.signal.aborted && clock.now() < until) {
      const connection = await dial(folder);
      const found = connection === null ? null : await hear(connection, log);
      if (found !== null) return found;
      if (connection === null && launched?.running() !== true) {
        launched = launchProxy(dataDir, options.entry);
        log.info('proxy started', { pid: launched.pid });
      }
      await clock.sleep(POLL_MS, over.signal);
    }
    return null;
  }

  async function establish(): Promise<Link | null> {
    for (let wait = BACKOFF_MS_MIN; !over.signal.aborted; wait = Math.min(wait * 2, BACKOFF_MS_MAX)) {
      const found = await reach();
      if (found !== null && (await adopt(found))) return found;
      if (over.signal.aborted) return null;
      log.error('proxy does not come up', { log: join(folder, 'proxy.log'), retryMs: wait });
      await clock.sleep(wait, over.signal);
    }
    return null;
  }

  async function adopt(found: Link): Promise<boolean> {
    await options.greet(found.connection);
    if (over.signal.aborted || found.connection.lost()) {
      found.connection.close();
      return false;
    }
    link = found;
    void found.connection.ended.then(() => lose(found));
    return true;
  }

  function lose(found: Link): void {
    if (link === found) link = null;
    if (over.signal.aborted) return;
    log.warn('proxy connection lost', { pid: found.hello.pid });
    void ensure();
  }

  function ensure(): Promise<Link | null> {
    if (link !== null) return Promise.resolve(link);
    linking ??= establish().finally(() => (linking = null));
    return linking;
  }

  return {
    ensure,
    current: () => link,
    find: async () => link ?? findProcess(options, () => launched?.running() === true),
    end: () => over.abort(),
    close() {
      over.abort();
      link?.connection.close();
      link = null;
    },
  };
}

async function findProcess(
  { dataDir, clock, log }: ProcessLinkOptions,
  starting: () => boolean,
): Promise<Link | null> {
  const until = clock.now() + START_MS;
  for (;;) {
    const connection = await dial(join(dataDir, PROXY_FOLDER));
    if (connection !== null) return hear(connection, log);
    if (!starting() || clock.now() >= until) return null;
    await clock.sleep(POLL_MS);
  }
}

/** Null when we cannot talk to that process: then it has been told to finish and make room for another. */
async function hear(connection: Connection, log: Log): Promise<Link | null> {
  const answer = await connection.call({ op: 'hello' }, HELLO_MS);
  const hello = answer.ok ? (answer.value as Hello) : null;
  if (hello?.protocol === PROTOCOL) return { connection, hello };
  connection.close();
  if (hello !== null) {
    log.warn('proxy speaks another protocol and is replaced', {
      pid: hello.pid,
      theirs: hello.protocol,
      ours: PROTOCOL,
    });
    sendSignal(hello.pid, 'SIGTERM');
  }
  return null;
}
