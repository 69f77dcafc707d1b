/** The daemon as a whole: alive, ready, state, plan, figures, description, end. */
import { failure } from '../base/result.ts';
import { ANYBODY, answer, failed, json, STATUS_READERS, VIEWERS } from './route.ts';
import type { Route } from './route.ts';
import { object, oneOf, ref, refInput, says, text } from './schema.ts';

const fine = object({ status: oneOf('ok') });

export const systemRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/healthz',
    id: 'healthz',
    summary: 'Whether the daemon is alive',
    roles: 'open',
    answer: { status: 200, description: 'Alive', schema: fine },
    errors: [],
    handle: () => json({ status: 'ok' }),
  },
  {
    method: 'GET',
    path: '/readyz',
    id: 'readyz',
    summary: 'Whether the daemon has seen the world once and acts',
    roles: 'open',
    answer: { status: 200, description: 'Ready', schema: fine },
    errors: ['starting'],
    handle: (_call, { control }) =>
      control.ready()
        ? json({ status: 'ok' })
        : failed(failure('starting', 'The daemon has not finished its first pass yet. Ask again.')),
  },
  {
    method: 'GET',
    path: '/',
    id: 'root',
    summary: 'Whether the token is good',
    roles: ANYBODY,
    answer: { status: 200, description: 'It is', schema: fine },
    errors: [],
    handle: () => json({ status: 'ok' }),
  },
  {
    method: 'GET',
    path: '/metrics',
    id: 'metrics',
    summary: 'Figures for Prometheus',
    roles: VIEWERS,
    answer: { status: 200, description: 'Prometheus text format', schema: null, types: ['text/plain'] },
    errors: [],
    handle: async (_call, parts) => ({
      kind: 'text',
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      body: await parts.metrics(),
    }),
  },
  {
    method: 'GET',
    path: '/openapi.json',
    id: 'openApi',
    summary: 'This description',
    roles: VIEWERS,
    answer: { status: 200, description: 'OpenAPI 3.1', schema: { type: 'object' } },
    errors: [],
    handle: (_call, parts) => json(parts.openApi()),
  },
  {
    method: 'GET',
    path: '/v1/status',
    id: 'systemStatus',
    summary: 'Everything that runs, what is wanted, and why it differs',
    roles: STATUS_READERS,
    answer: { status: 200, description: 'The state of the system', schema: ref('SystemStatus') },
    errors: [],
    handle: async (_call, { control }) => json(await control.status()),
  },
  {
    method: 'GET',
    path: '/v1/plan',
    id: 'plan',
    summary: 'What would be done for a commit, in order, with the reason of each action; changes nothing',
    roles: VIEWERS,
    query: {
      ref: says(refInput, 'A commit or branch of the intent repository; the watched branch by default.'),
      against: says(refInput, '`live` (the default), or another ref.'),
    },
    answer: { status: 200, description: 'The plan', schema: ref('Plan') },
    errors: ['unknown-commit', 'intent-invalid'],
    handle: async (call, { control }) => {
      const against = call.query['against'];
      const base = against === undefined || against === 'live' ? null : String(against);
      const wanted = call.query['ref'];
      return answer(await control.plan(wanted === undefined ? null : String(wanted), base));
    },
  },
  {
    method: 'POST',
    path: '/v1/shutdown',
    id: 'shutdown',
    summary: 'Drain and stop everything that runs, then end the daemon',
    roles: ['operator', 'backup'],
    body: { schema: object({}), required: false, maxBytes: 1024 },
    answer: { status: 202, description: 'The drain has begun', schema: object({ status: text }) },
    errors: [],
    handle: async (call, { control }) => {
      await control.shutdown(call.caller);
      return json({ status: 'draining' }, 202);
    },
  },
];
