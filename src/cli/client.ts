/**
 * The commands' way to the daemon: finds its address and a token, asks, and turns every kind of trouble into a
 * failure that says what to do. A token found in a local data folder is only ever sent to this machine.
 */
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { join, resolve } from 'node:path';
import { err, failure, ok } from '../base/result.ts';
import type { Result } from '../base/result.ts';
import { messageOf } from '../base/thrown.ts';
import { DEFAULT_URL, defaultData } from '../config.ts';
import type { DaemonFlags } from './command.ts';
import type { Context } from './context.ts';

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 30_000;
/** Host names that lead nowhere else, the address of all interfaces included. */
const THIS_MACHINE = /^(localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\])$/;

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  /** Longest silence, 30 s unless told; 0: none. */
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Client {
  readonly url: string;
  /** One answer, parsed. */
  ask<T>(path: string, ask?: Ask): Promise<Result<T>>;
  /** The body as it comes, for streams; it ends when the daemon ends it or the signal does. */
  stream(path: string, ask?: Ask): Promise<Result<IncomingMessage>>;
}

/** Finds the daemon: --url, --data, MAINSTAY_URL, what runs on the default data folder, then the default address. */
export async function connect(flags: DaemonFlags, context: Context): Promise<Result<Client>> {
  const url = await findUrl(flags, context);
  if (!url.ok) return url;
  const token = await findToken(flags, context, url.value);
  if (!token.ok) return token;
  const stream = (path: string, ask: Ask = {}) => open(url.value, token.value, { ...ask, path });
  return ok({
    url: url.value.href.replace(/\/$/, ''),
    stream,
    ask: async <T>(path: string, ask: Ask = {}): Promise<Result<T>> => {
      const answer = await stream(path, ask);
      return answer.ok ? parse<T>(answer.value) : answer;
    },
  });
}

async function findUrl(flags: DaemonFlags, context: Context): Promise<Result<URL>> {
  const data = resolve(context.cwd, flags.data ?? defaultData(context.env));
  const given = flags.url ?? (flags.data === undefined ? context.env['MAINSTAY_URL'] : undefined);
  const text = given ?? (await recordedUrl(data)) ?? (flags.data === undefined ? DEFAULT_URL : null);
  if (text === null) {
    return err(
      failure('unreachable', `no daemon runs on ${data}: start one with \`mainstay serve --data ${data}\``),
    );
  }
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return ok(url);
  return err(failure('usage', `${text} is not the URL of a daemon: expected for example ${DEFAULT_URL}`));
}

/** Where the daemon of this data folder said that it answers; null when none has, or it has ended. */
async function recordedUrl(data: string): Promise<string | null> {
  try {
    const { url } = JSON.parse(await readFile(join(data, 'daemon.json'), 'utf8')) as { url?: unknown };
    return typeof url === 'string' ? url : null;
  } catch {
    return null;
  }
}

async function findToken(flags: DaemonFlags, context: Context, url: URL): Promise<Result<string | null>> {
  if (flags.tokenFile !== undefined) {
    const path = resolve(context.cwd, flags.tokenFile);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => error);
    if (typeof text === 'string') return ok(text.trim());
    return err(
      failure('usage', `--token-file ${path} can't be read (${text.code}): name a file that holds a token`),
    );
  }
  const given = context.env['MAINSTAY_TOKEN'];
  if (given !== undefined && given !== '') return ok(given);
  if (!THIS_MACHINE.test(url.hostname)) return ok(null);
  const data = resolve(context.cwd, flags.data ?? defaultData(context.env));
  return ok(
    await readFile(join(data, 'operator.token'), 'utf8').then(
      (text) => text.trim(),
      () => null,
    ),
  );
}

async function open(
  base: URL,
  token: string | null,
  ask: Ask & { readonly path: string },
): Promise<Result<IncomingMessage>> {
  const request = base.protocol === 'https:' ? (await import('node:https')).request : httpRequest;
  const body = ask.body === undefined ? null : JSON.stringify(ask.body);
  return new Promise((settle) => {
    const sent = request(new URL(ask.path, base), {
      method: ask.method ?? 'GET',
      agent: false,
      timeout: ask.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      ...(ask.signal === undefined ? {} : { signal: ask.signal }),
      headers: {
        accept: 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === null
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        ...ask.headers,
      },
    });
    sent.on('timeout', () =>
      sent.destroy(new Error(`no answer in ${(ask.timeoutMs ?? DEFAULT_TIMEOUT_MS) / 1000} s`)),
    );
    sent.on('error', (error: NodeJS.ErrnoException) => settle(err(unreachable(base, error))));
    sent.on('response', (answer) => {
      if ((answer.statusCode ?? 0) < 400) settle(ok(answer));
      else void refusal(answer, base).then((refused) => settle(err(refused)));
    });
    sent.end(body ?? undefined);
  });
}

function unreachable(base: URL, error: NodeJS.ErrnoException) {
  return failure(
    'unreachable',
    `no daemon answers at ${base.origin} (${error.code ?? error.message}): start one with \`mainstay serve\`, ` +
      'or say where it is with --url, --data or MAINSTAY_URL',
    { retry: { kind: 'backoff' } },
  );
}

async function refusal(answer: IncomingMessage, base: URL) {
  const status = answer.statusCode ?? 0;
  const parsed = await parse<{
    code?: string;
    message?: string;
    details?: Record<string, unknown>;
    retriable?: boolean;
  }>(answer);
  const body = parsed.ok ? parsed.value : {};
  const hint =
    status === 401
      ? {
          hint: 'Give a token with --token-file or MAINSTAY_TOKEN, or --data with the data folder of a local daemon.',
        }
      : {};
  return failure(body.code ?? `http-${status}`, body.message ?? `${base.origin} answered ${status}`, {
    retry: body.retriable === true ? { kind: 'backoff' } : { kind: 'never' },
    details: { ...body.details, ...hint, status },
  });
}

async function parse<T>(answer: IncomingMessage): Promise<Result<T>> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) return err(failure('unreachable', 'the answer is larger than 64 MiB'));
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString('utf8');
    return ok((text === '' ? {} : JSON.parse(text)) as T);
  } catch (error) {
    return err(failure('unreachable', `the answer broke off or is not JSON: ${messageOf(error)}`));
  }
}
