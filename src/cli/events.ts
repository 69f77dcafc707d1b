/** `mainstay events`: the event stream; with -f it goes on, and takes up where it was when the daemon comes back. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Result } from '../base/result.ts';
import type { Event } from '../model/event.ts';
import { short } from '../model/ids.ts';
import { query } from './ask.ts';
import { connect } from './client.ts';
import type { Client } from './client.ts';
import { daemonOptions, examples, fail } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';
import { paint, plain } from './paint.ts';
import { readSse } from './sse.ts';

interface Flags extends DaemonFlags {
  readonly follow?: boolean;
}

/** Without -f: what is kept is sent at once; this long without more means that was all. */
const QUIET_MS = 300;
const RECONNECT_MS = 1000;

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('events')
    .description('what happened, one line each')
    .option('-f, --follow', 'go on as things happen, until interrupted');
  examples(daemonOptions(command), 'mainstay events', 'mainstay events -f --json').action(
    act((flags: Flags) => events(flags, context)),
  );
};

async function events(flags: Flags, context: Context): Promise<ExitCode> {
  const client = await connect(flags, context);
  if (!client.ok) return fail(context, client.error, flags);
  const place = { last: '0' };
  if (flags.follow !== true) return settle(await follow(client.value, place, flags, context), flags, context);
  const stopped = context.stopSignal();
  let first = true;
  while (!stopped.aborted) {
    const end = await follow(client.value, place, flags, context);
    if (!end.ok && !stopped.aborted && (first || end.error.code !== 'unreachable'))
      return fail(context, end.error, flags);
    first = false;
    await sleep(RECONNECT_MS, undefined, { signal: stopped }).catch(() => undefined);
  }
  return EXIT.done;
}

function settle(end: Result<void>, flags: Flags, context: Context): ExitCode {
  return end.ok ? EXIT.done : fail(context, end.error, flags);
}

/** One connection, from where the last one ended. */
async function follow(
  client: Client,
  place: { last: string },
  flags: Flags,
  context: Context,
): Promise<Result<void>> {
  const controller = new AbortController();
  const signal =
    flags.follow === true ? AbortSignal.any([controller.signal, context.stopSignal()]) : controller.signal;
  const headers = { accept: 'text/event-stream', 'last-event-id': place.last };
  const stream = await client.stream(`/v1/events${query({ follow: flags.follow === true })}`, {
    headers,
    timeoutMs: 0,
    signal,
  });
  if (!stream.ok) return stream;
  const quiet = flags.follow === true ? null : setTimeout(() => controller.abort(), QUIET_MS);
  try {
    for await (const message of readSse(stream.value)) {
      quiet?.refresh();
      if (message.id !== null) place.last = message.id;
      context.out(`${show(message.data, flags, context)}\n`);
    }
  } catch (error) {
    if (!signal.aborted && !(error instanceof Error && 'code' in error)) throw error;
  } finally {
    clearTimeout(quiet ?? undefined);
  }
  return { ok: true, value: undefined };
}

function show(data: string, flags: Flags, context: Context): string {
  const event = JSON.parse(data) as Event;
  if (flags.json === true) return JSON.stringify(event);
  const { bold, dim } = paint(context);
  const about = event.unit ?? (event.commit === undefined ? '' : short(event.commit));
  return `${dim(event.at ?? '')} ${bold(event.type ?? 'message')} ${about === '' ? '' : `${about}: `}${plain(event.message ?? data)}`;
}
