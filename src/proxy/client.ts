/**
 * The daemon's side of the proxy, behind the `Proxy` port: says what is to be served, and says it again to each new
 * process. Decides how long a call may take and what is repeated; what is served, others decide.
 */
import { resolve as absolute, join } from 'node:path';
import { sendSignal } from '../adapters/system/signal.ts';
import { err, failure, type Failure, type Result } from '../base/result.ts';
import type { ProxyTable } from '../model/routes.ts';
import type { Clock, ListenFailure, Log, Proxy, ProxyStats } from '../ports.ts';
import { proxyEntry } from './launch.ts';
import { createProcessLink, START_MS, type ProcessLink } from './process-link.ts';
import { PROXY_FOLDER, type ControlCall, type Hello } from './protocol.ts';

/** How long a call waits for a process to be there, and to answer. */
const CALL_MS = 10_000;
const STATS_MS = 5_000;
const PAUSE_MS = 20;

export interface ProxyClientOptions {
  readonly dataDir: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Program of the proxy process; the one beside this file unless a test gives another. */
  readonly entry?: string;
}

export interface ProxyClient extends Proxy {
  /** The process connected to now; null while there is none. `version` is that of the table found at connect. */
  alive(): Hello | null;
}

/**
 * Starts nothing before the first call; from then on the process is kept running until `close` or `stop`. Failures:
 * `proxy-unreachable`, `proxy-timeout`, `proxy-call-aborted`, `proxy-table-invalid`, `proxy-failed`, `generation-in-use`.
 */
export function createProxyClient({ dataDir, log, clock, entry }: ProxyClientOptions): ProxyClient {
  const data = absolute(dataDir);
  let table: ProxyTable | null = null;
  const over = new AbortController();
  const link = createProcessLink({
    dataDir: data,
    entry: entry ?? proxyEntry(),
    log,
    clock,
    greet: async (connection) => {
      if (table === null) return;
      const answer = await connection.call({ op: 'apply', table }, CALL_MS);
      const failures = answer.ok ? (answer.value as readonly ListenFailure[]) : [answer.error];
      for (const { message } of failures)
        log.warn('proxy does not serve all of the last table', { reason: message });
    },
  });
  const call = createCaller({
    link,
    clock,
    over: over.signal,
    logFile: join(data, PROXY_FOLDER, 'proxy.log'),
  });
  const never = new AbortController().signal;

  return {
    alive: () => link.current()?.hello ?? null,
    async apply(next) {
      table = next;
      return (await call(() => ({ op: 'apply', table: next }), CALL_MS, never)) as Result<
        readonly ListenFailure[]
      >;
    },
    async drain(generation, timeoutMs, signal) {
      const make = (leftMs: number): ControlCall => ({
        op: 'drain',
        generation,
        timeoutMs: Math.max(0, leftMs - CALL_MS),
      });
      return (await call(make, timeoutMs + CALL_MS, signal)) as Result<number>;
    },
    async stats() {
      return (await call(() => ({ op: 'stats' }), STATS_MS, never)) as Result<ProxyStats>;
    },
    async stop(graceMs) {
      over.abort();
      link.end();
      const found = await link.find();
      if (found !== null) {
        await found.connection.call({ op: 'stop', graceMs }, CALL_MS);
        const limit = new AbortController();
        const late = clock.sleep(graceMs + START_MS, limit.signal);
        if (await Promise.race([found.connection.ended.then(() => false), late]))
          sendSignal(found.hello.pid, 'SIGKILL');
        limit.abort();
      }
      link.close();
    },
    close() {
      over.abort();
      link.close();
      return Promise.resolve();
    },
  };
}

interface CallerParts {
  readonly link: ProcessLink;
  readonly clock: Clock;
  readonly over: AbortSignal;
  readonly logFile: string;
}

type Caller = (
  make: (leftMs: number) => ControlCall,
  limitMs: number,
  signal: AbortSignal,
) => Promise<Result<unknown>>;

/** Repeats a call on the next process when one is lost in the middle; every call may be repeated. */
function createCaller({ link, clock, over, logFile }: CallerParts): Caller {
  return async (make, limitMs, signal) => {
    const until = clock.now() + limitMs;
    const done = new AbortController();
    const ends = AbortSignal.any([over, signal, done.signal]);
    const timeUp = clock.sleep(limitMs, ends).then(() => null);
    try {
      for (let leftMs = limitMs; leftMs > 0; leftMs = until - clock.now()) {
        const found = await Promise.race([link.ensure(), timeUp]);
        const answer =
          found === null ? null : await Promise.race([found.connection.call(make(leftMs), leftMs), timeUp]);
        if (answer === null) break;
        if (answer.ok || !isOnItsWayOut(answer.error)) return answer;
        await clock.sleep(PAUSE_MS, ends);
      }
      return err(over.aborted || signal.aborted ? aborted() : unreachable(logFile));
    } finally {
      done.abort();
    }
  };
}

function isOnItsWayOut(error: Failure): boolean {
  return error.code === 'proxy-connection-lost' || error.code === 'proxy-ending';
}

function aborted(): Failure {
  return failure('proxy-call-aborted', 'The wait for the proxy was ended.', {
    retry: { kind: 'after', ms: 0 },
  });
}

function unreachable(logFile: string): Failure {
  return failure('proxy-unreachable', `The proxy process does not answer. Why may stand in ${logFile}.`, {
    retry: { kind: 'backoff' },
  });
}
