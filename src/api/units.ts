/** Single units: why they are as they are, restart, suspend, and what they print. */
import type { LogLine } from '../ports.ts';
import { answer, DEPLOYERS, failed, json, VIEWERS } from './route.ts';
import type { Answer, ApiParts, Call, Route } from './route.ts';
import { flag, object, page, ref, says, text, unitInput } from './schema.ts';
import { sseComment, sseMessage } from './sse.ts';
import type { StreamWriter } from './stream.ts';

const TAIL_DEFAULT = 200;
const TAIL_MAX = 10_000;
const KEEP_ALIVE_MS = 15_000;

type Form = 'page' | 'lines' | 'events';

async function logs(call: Call, parts: ApiParts): Promise<Answer> {
  const follow = call.query['follow'] === true;
  const tail = Number(call.query['tail'] ?? TAIL_DEFAULT);
  const read = await parts.control.logs(unitOf(call), { tail, follow }, call.signal);
  if (!read.ok) return failed(read.error);
  const form = formOf(call.header('accept') ?? '', follow);
  if (form === 'page') return json({ items: await collect(read.value, parts), next: null });
  const type = form === 'events' ? 'text/event-stream' : 'text/plain; charset=utf-8';
  return { kind: 'stream', type, pump: (out) => pump({ lines: read.value, form, call, parts, out }) };
}

/** JSON has no form for a list without an end: followed, it comes as events. */
function formOf(accept: string, follow: boolean): Form {
  if (accept.includes('text/event-stream')) return 'events';
  if (!accept.includes('application/json')) return 'lines';
  return follow ? 'events' : 'page';
}

/** Not followed, so it ends; the limit holds even if a backend sends more than was asked for. */
async function collect(lines: AsyncIterable<LogLine>, { scrubber }: ApiParts): Promise<LogLine[]> {
  const items: LogLine[] = [];
  for await (const line of lines) {
    items.push({ ...line, text: scrubber.text(line.text) });
    if (items.length >= TAIL_MAX) break;
  }
  return items;
}

interface Pump {
  readonly lines: AsyncIterable<LogLine>;
  readonly form: Form;
  readonly call: Call;
  readonly parts: ApiParts;
  readonly out: StreamWriter;
}

async function pump({ lines, form, call, parts, out }: Pump): Promise<void> {
  const done = new AbortController();
  const alive = form === 'events' ? keepAlive(parts, call, out, done.signal) : null;
  try {
    for await (const line of lines) {
      const clean = { ...line, text: parts.scrubber.text(line.text) };
      if (!(await out.write(render(clean, form)))) break;
    }
  } finally {
    done.abort();
    await alive;
  }
}

function render(line: LogLine, form: Form): string {
  if (form === 'events') return sseMessage({ event: line.stream, data: JSON.stringify(line) });
  return `${line.text}\n`;
}

async function keepAlive(
  { clock }: ApiParts,
  call: Call,
  out: StreamWriter,
  done: AbortSignal,
): Promise<void> {
  while (await clock.sleep(KEEP_ALIVE_MS, AbortSignal.any([done, out.signal]))) {
    if (!call.stillAllowed()) return out.cut();
    if (!(await out.write(sseComment('still here')))) return;
  }
}

function suspend(suspended: boolean) {
  return async (call: Call, { control }: ApiParts): Promise<Answer> => {
    const done = await control.suspend(unitOf(call), suspended, call.caller);
    return done.ok ? json({ unit: unitOf(call), commit: done.value.commit }) : failed(done.error);
  };
}

function unitOf(call: Call): string {
  return String(call.params['unit']);
}

const params = { unit: unitInput };
const nothing = { schema: object({}), required: false, maxBytes: 1024 };
const committed = object({ unit: text, commit: says(text, 'The intent commit that says so.') });

export const unitRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/why/{unit}',
    id: 'why',
    summary:
      'What is wanted of a unit, what it is, what was last done to it on whose word, and what blocks now',
    roles: VIEWERS,
    params,
    answer: { status: 200, description: 'The explanation', schema: ref('Why') },
    errors: ['unknown-unit'],
    handle: async (call, { control }) => answer(await control.why(unitOf(call))),
  },
  {
    method: 'POST',
    path: '/v1/units/{unit}/restart',
    id: 'restartUnit',
    summary: 'Restart a unit in place',
    roles: DEPLOYERS,
    params,
    body: nothing,
    answer: { status: 200, description: 'The restart is under way', schema: object({ unit: text }) },
    errors: ['unknown-unit'],
    handle: async (call, { control }) => answer(await control.restart(unitOf(call), call.caller)),
  },
  {
    method: 'POST',
    path: '/v1/units/{unit}/suspend',
    id: 'suspendUnit',
    summary: 'Leave a unit as it is from now on (an intent commit)',
    roles: DEPLOYERS,
    params,
    body: nothing,
    answer: { status: 200, description: 'Committed', schema: committed },
    errors: ['unknown-unit'],
    handle: suspend(true),
  },
  {
    method: 'POST',
    path: '/v1/units/{unit}/resume',
    id: 'resumeUnit',
    summary: 'Take a suspended unit up again (an intent commit)',
    roles: DEPLOYERS,
    params,
    body: nothing,
    answer: { status: 200, description: 'Committed', schema: committed },
    errors: ['unknown-unit'],
    handle: suspend(false),
  },
  {
    method: 'GET',
    path: '/v1/units/{unit}/logs',
    id: 'unitLogs',
    summary: 'What a unit prints: lines of text, server-sent events, or JSON, as Accept says',
    roles: VIEWERS,
    long: true,
    params,
    query: {
      tail: { type: 'integer', minimum: 0, maximum: TAIL_MAX },
      follow: says(flag, 'Go on with what it prints next.'),
    },
    answer: {
      status: 200,
      description: 'Its lines',
      schema: page(ref('LogLine')),
      types: ['text/plain', 'text/event-stream'],
    },
    errors: ['unknown-unit', 'too-many-streams'],
    handle: logs,
  },
];
