/**
 * What happened, as a stream that can be resumed or as pages. The stream keeps one number a reader, its position in
 * the feed; nothing is queued for a slow one. One that falls behind what the feed keeps is told so with `gap`.
 */
import type { Event } from '../model/event.ts';
import { json, VIEWERS } from './route.ts';
import type { Answer, ApiParts, Call, Route } from './route.ts';
import { flag, list, integer, object, ref, says, textOrNull } from './schema.ts';
import { sseComment, sseMessage, sseRetry } from './sse.ts';
import type { StreamWriter } from './stream.ts';

/** Keeps proxies from cutting a quiet stream, finds readers that are gone, and checks that the token still counts. */
const KEEP_ALIVE_MS = 15_000;
const RETRY_MS = 1000;
/** Asking from here means whatever is kept: that older ones are gone is no gap. */
const EVERYTHING = 0;
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;

function events(call: Call, parts: ApiParts): Answer {
  const after = startAfter(call);
  const wantsPage =
    call.query['limit'] !== undefined || (call.header('accept') ?? '').includes('application/json');
  if (wantsPage) return eventPage(parts, after ?? 0, Number(call.query['limit'] ?? PAGE_DEFAULT));
  return {
    kind: 'stream',
    type: 'text/event-stream',
    pump: (out) => pump({ call, parts, out, after: after ?? parts.control.events.last }),
  };
}

/** The header is what a reconnecting client sends by itself, so it is newer than the address it connected to first. */
function startAfter(call: Call): number | null {
  const header = call.header('last-event-id');
  if (header !== null && /^\d{1,16}$/.test(header)) return Number(header);
  const query = call.query['after'];
  return query === undefined ? null : Number(query);
}

function eventPage({ control, scrubber }: ApiParts, after: number, limit: number): Answer {
  const { events: kept, gap } = control.events.since(after);
  const items = kept.slice(0, limit);
  const last = items.at(-1)?.id ?? after;
  return json({
    items: items.map((event) => scrubber.value(event)),
    next: kept.length > items.length ? String(last) : null,
    last,
    gap: gap && after !== EVERYTHING,
  });
}

interface Pump {
  readonly call: Call;
  readonly parts: ApiParts;
  readonly out: StreamWriter;
  readonly after: number;
}

async function pump({ call, parts, out, after }: Pump): Promise<void> {
  const { events: feed } = parts.control;
  const bell = createBell();
  const unsubscribe = feed.subscribe(bell.ring);
  out.signal.addEventListener('abort', bell.ring, { once: true });
  let position = after;
  let gapTold = after === EVERYTHING;
  let open = await out.write(sseRetry(RETRY_MS));
  try {
    while (open) {
      const { events: fresh, gap } = feed.since(position);
      if (gap && !gapTold) open = await out.write(gapMessage(position, fresh[0]));
      gapTold = gap && fresh.length === 0;
      for (const event of fresh) {
        if (!open) break;
        open = await out.write(eventMessage(event, parts));
        position = event.id;
      }
      if (fresh.length === 0 && open) open = await rest({ call, parts, out, bell });
    }
  } finally {
    unsubscribe();
    out.signal.removeEventListener('abort', bell.ring);
  }
}

/** Until something happens; a comment, and a look at the token, whenever nothing does for a while. */
async function rest({
  call,
  parts,
  out,
  bell,
}: Omit<Pump, 'after'> & { readonly bell: Bell }): Promise<boolean> {
  const quiet = await parts.clock.sleep(KEEP_ALIVE_MS, bell.next());
  if (out.signal.aborted) return false;
  if (!quiet) return true;
  return call.stillAllowed() ? out.write(sseComment('still here')) : false;
}

function eventMessage(event: Event, { scrubber }: ApiParts): string {
  return sseMessage({ id: String(event.id), event: event.type, data: JSON.stringify(scrubber.value(event)) });
}

function gapMessage(after: number, first: Event | undefined): string {
  const data = {
    after,
    first: first?.id ?? null,
    message: 'Older events are gone; read the status for what is so now.',
  };
  return sseMessage({ event: 'gap', data: JSON.stringify(data) });
}

interface Bell {
  readonly ring: () => void;
  /** Aborts at the next ring; at once when it rang since the last call. No ring is lost. */
  readonly next: () => AbortSignal;
}

function createBell(): Bell {
  let rung = false;
  let waiting = new AbortController();
  return {
    ring: () => {
      rung = true;
      waiting.abort();
    },
    next: () => {
      if (rung) {
        rung = false;
        return AbortSignal.abort();
      }
      waiting = new AbortController();
      return waiting.signal;
    },
  };
}

export const eventRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/events',
    id: 'events',
    summary: 'What happens, as server-sent events; with limit or Accept: application/json as a page',
    roles: VIEWERS,
    long: true,
    query: {
      after: says(
        { type: 'integer', minimum: 0 },
        'Begin behind this id; Last-Event-ID wins. 0: everything that is kept. Streams begin with what happens next by default.',
      ),
      limit: { type: 'integer', minimum: 1, maximum: PAGE_MAX },
    },
    answer: {
      status: 200,
      description: 'A page, or the stream; `event: gap` when events between are no longer kept',
      schema: object({
        items: list(ref('Event')),
        next: textOrNull,
        last: says(integer, 'Pass as `after` to go on from here.'),
        gap: flag,
      }),
      types: ['text/event-stream'],
    },
    errors: ['too-many-streams'],
    handle: events,
  },
];
