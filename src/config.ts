/**
 * Flags and environment to one frozen Config for the daemon. Decides defaults and refuses what cannot be meant;
 * touches neither files nor network.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseDuration } from './base/duration.ts';
import { err, failure, ok } from './base/result.ts';
import type { Result } from './base/result.ts';

const DEFAULT_PORT = 7070;
export const DEFAULT_URL = `http://127.0.0.1:${DEFAULT_PORT}`;

export interface Listen {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface Config {
  /** Absolute path of the intent repository, or a URL to follow. */
  readonly intent: string;
  /** True when `intent` is a URL. */
  readonly remote: boolean;
  readonly branch: string;
  /** Absolute path of the data folder. */
  readonly data: string;
  /** Where the API and the push URL listen. */
  readonly listen: Listen;
  /** `embedded`, `off`, or the URL of a server. */
  readonly nats: string;
  /** Address on which the apps' public ports listen. */
  readonly publicHost: string;
  /** SIGTERM and SIGINT stop what runs too, as `mainstay shutdown` does. */
  readonly drainOnExit: boolean;
  /** How often repositories are looked at besides file events. */
  readonly pollMs: number;
}

/** What the command line gave; undefined where it gave nothing. */
export interface ServeFlags {
  readonly intent?: string;
  readonly branch?: string;
  readonly data?: string;
  readonly listen?: string;
  readonly nats?: string;
  readonly publicHost?: string;
  readonly drainOnExit?: boolean;
  readonly poll?: string;
}

export type Env = Readonly<Record<string, string | undefined>>;

const DEFAULTS = {
  branch: 'main',
  listen: `127.0.0.1:${DEFAULT_PORT}`,
  nats: 'embedded',
  publicHost: '127.0.0.1',
  drainOnExit: false,
  poll: '15s',
} as const;

/** The daemon's settings, or a `usage` failure that names the flag. */
export function readConfig(flags: ServeFlags, env: Env, cwd: string): Result<Config> {
  const given = { ...DEFAULTS, ...flags };
  const data = resolve(cwd, flags.data ?? defaultData(env));
  const intent = flags.intent ?? join(data, 'intent.git');
  const remote = isRemote(intent);
  const listen = parseListen(given.listen);
  const pollMs = parseDuration(given.poll);
  const wrong = mistake(given, listen, pollMs);
  if (wrong !== null || listen === null || pollMs === null)
    return err(failure('usage', wrong ?? 'bad flags'));
  return ok(
    Object.freeze({
      intent: remote ? intent : resolve(cwd, intent),
      remote,
      branch: given.branch,
      data,
      listen: Object.freeze(listen),
      nats: given.nats,
      publicHost: given.publicHost,
      drainOnExit: given.drainOnExit,
      pollMs,
    }),
  );
}

type Given = Required<Pick<ServeFlags, 'branch' | 'listen' | 'nats' | 'poll'>>;

function mistake(given: Given, listen: Listen | null, pollMs: number | null): string | null {
  const { branch, nats } = given;
  if (listen === null) return `--listen ${given.listen}: expected HOST:PORT, e.g. ${DEFAULTS.listen}`;
  if (pollMs === null || pollMs < 100) {
    return `--poll ${given.poll}: expected a duration of at least 100ms, e.g. ${DEFAULTS.poll}`;
  }
  if (nats !== 'embedded' && nats !== 'off' && !/^(nats|tls|ws|wss):\/\/./.test(nats)) {
    return `--nats ${nats}: expected off, embedded, or a URL such as nats://127.0.0.1:4222`;
  }
  if (!/^[A-Za-z0-9_][A-Za-z0-9._/-]*$/.test(branch) || branch.includes('..')) {
    return `--branch ${branch}: expected the name of a branch, e.g. main`;
  }
  return null;
}

/** `$XDG_DATA_HOME/mainstay`, else `~/.local/share/mainstay`. */
export function defaultData(env: Env): string {
  const xdg = env['XDG_DATA_HOME'];
  const base =
    xdg !== undefined && xdg.startsWith('/') ? xdg : join(env['HOME'] ?? homedir(), '.local', 'share');
  return join(base, 'mainstay');
}

function isRemote(intent: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//.test(intent) || /^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:/.test(intent);
}

function parseListen(text: string): Listen | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  const host = match[1] ?? match[2] ?? '';
  return port > 65_535 ? null : { host: host === '' ? '127.0.0.1' : host, port };
}
