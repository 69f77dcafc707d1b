/** `mainstay events`: the event stream; with -f it goes on, and takes up where it was when the daemon comes back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ok } from '../base/result.ts';
import type { Result } from '../base/result.ts';
import type { Event } from '../model/event.ts';
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

const PAGE = 500;
const RECONNECT_MS = 1000;
/** The daemon sends a comment every 15 s; a stream that is silent for longer is dead. */
const SILENCE_MS = 45_000;

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
  const place = { last: 0 };
  const kept = await printKept(client.value, place, flags, context);
  if (!kept.ok) return fail(context, kept.error, flags);
  if (flags.follow !== true) return EXIT.done;
  const stopped = context.stopSignal();
  while (!stopped.aborted) {
    const end = await follow(client.value, place, flags, context);
    // A daemon that is being restarted comes back; anything else does not pass by itself.
    if (!end.ok && !stopped.aborted && end.error.retry.kind === 'never')
      return fail(context, end.error, flags);
    await sleep(RECONNECT_MS, undefined, { signal: stopped }).catch(() => undefined);
  }
  return EXIT.done;
}

interface EventPage {
  readonly items: readonly Event[];
  readonly next: string | null;
  readonly last: number;
}

async function printKept(
  client: Client,
  place: { last: number },
  flags: Flags,
  context: Context,
): Promise<Result<void>> {
  for (;;) {
    const page = await client.ask<EventPage>(`/v1/events${query({ after: place.last, limit: PAGE })}`);
    if (!page.ok) return page;
    for (const event of page.value.items) context.out(`${show(event, flags, context)}\n`);
    place.last = Math.max(place.last, page.value.last);
    if (page.value.next === null) return ok();
  }
}

/** One connection, from where the last one ended. */
async function follow(
  client: Client,
  place: { last: number },
  flags: Flags,
  context: Context,
): Promise<Result<void>> {
  const signal = context.stopSignal();
  const headers = { accept: 'text/event-stream', 'last-event-id': String(place.last) };
  const stream = await client.stream('/v1/events', { headers, timeoutMs: SILENCE_MS, signal });
  if (!stream.ok) return stream;
  try {
    for await (const message of readSse(stream.value)) {
      if (message.id !== null) place.last = Number(message.id);
      const event = JSON.parse(message.data) as Event;
      context.out(`${message.event === 'gap' ? gap(event, flags) : show(event, flags, context)}\n`);
    }
  } catch {
    // The connection broke off; the caller takes up from `place`.
  }
  return ok();
}

function gap(event: { readonly message: string }, flags: Flags): string {
  return flags.json === true ? JSON.stringify({ type: 'gap', ...event }) : plain(event.message);
}

function show(event: Event, flags: Flags, context: Context): string {
  if (flags.json === true) return JSON.stringify(event);
  const { bold, dim } = paint(context);
  return `${dim(event.at)} ${bold(event.type)} ${plain(event.message)}`;
}
