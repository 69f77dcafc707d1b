/** The shapes that go out, by the names under which OpenAPI lists them. A test checks real answers against them. */
import {
  flag,
  integer,
  integerOrNull,
  list,
  map,
  object,
  oneOf,
  ref,
  says,
  text,
  textOrNull,
  time,
} from './schema.ts';
import type { Schema } from './schema.ts';

const commitState = oneOf('pending', 'converging', 'converged', 'failed', 'held', 'superseded', 'invalid');

const instance = object({
  id: text,
  slot: text,
  role: oneOf('live', 'previous', 'starting', 'draining'),
  state: oneOf('running', 'exited'),
  healthy: flag,
  handle: says(text, 'What the backend calls it: a pid, a container id.'),
  port: integer,
  started_at: time,
});

const appStatus = object({
  app: text,
  live_slot: text,
  live_commit: text,
  previous_slot: text,
  previous_commit: text,
  last_deploy_time: time,
  healthy: flag,
  staging_dir: text,
  desired_commit: text,
  state: oneOf('converged', 'deploying', 'restarting', 'held', 'waiting', 'suspended', 'stopping'),
  reason: says(text, 'Why it is not converged; empty when it is.'),
  url: text,
  instances: list(instance),
});

const health = object({ attempts: integer, last: text });

const planCounts = object({ start: integer, stop: integer, swap: integer, unchanged: integer });

const appNote = object({ slot: text, commit: text, previous_commit: text, healthy: flag, url: text });

const actionNote = object({ do: text, unit: text, because: text, result: text, took_ms: integer });

/** Actions differ by kind; the fields that all have are named. */
const action: Schema = {
  type: 'object',
  required: ['do', 'unit', 'because', 'after'],
  properties: { do: text, unit: text, because: text, after: list(text) },
};

const history = {
  commit: text,
  at: time,
  by: text,
  subject: text,
  state: commitState,
  took_ms: integerOrNull,
  reason: textOrNull,
  apps: map(ref('AppNote')),
};

export const ANSWERS: Readonly<Record<string, Schema>> = {
  Error: object(
    {
      code: says(text, 'Stable; from the table in docs/errors.md.'),
      message: says(text, 'What was wrong, what was expected, what to do.'),
      retriable: flag,
    },
    { retry_after_ms: integer, details: {} },
  ),
  AppStatus: appStatus,
  SystemStatus: object({
    mode: oneOf('normal', 'degraded', 'draining'),
    commit: text,
    head: text,
    state: oneOf('empty', ...(commitState['enum'] as readonly string[])),
    reason: text,
    branch: text,
    presence: text,
    apps: list(ref('AppStatus')),
    drift: list(object({ unit: text, found: text, at: time })),
    started_at: time,
    version: text,
  }),
  DeployAnswer: object(
    { success: flag, slot: text, commit: text, previous_commit: text },
    { reason: text, health, log_tail: list(text) },
  ),
  PlanCounts: planCounts,
  AppNote: appNote,
  ActionNote: actionNote,
  Plan: object(
    {
      commit: text,
      actions: list(action),
      unchanged: list(text),
      under_way: list(text),
      blocked: list(object({ unit: text, code: text, reason: text, until: textOrNull })),
      counts: ref('PlanCounts'),
      next_pass_at: textOrNull,
    },
    { diagnostics: list(text) },
  ),
  CommitStatus: object({
    ...history,
    plan: { anyOf: [ref('PlanCounts'), { type: 'null' }] },
    actions: list(ref('ActionNote')),
    diagnostics: list(text),
    superseded_by: textOrNull,
    revision: integer,
    verdict: object({ done: flag, ok: flag, commit: text, message: text }),
  }),
  HistoryItem: object(history),
  JournalEntry: object(
    {
      at: time,
      app: text,
      do: oneOf('deploy', 'rollback', 'restart', 'stop'),
      slot: text,
      commit: text,
      previous_commit: textOrNull,
      intent: textOrNull,
      trigger: oneOf('push', 'api', 'source', 'crash', 'reconcile'),
      result: oneOf('promoted', 'failed', 'superseded', 'restarted', 'stopped', 'interrupted'),
      reason: textOrNull,
      took_ms: integer,
    },
    { health },
  ),
  Why: object({
    unit: text,
    wanted: text,
    is: text,
    last_action: {
      anyOf: [
        object({
          ...(actionNote['properties'] as Record<string, Schema>),
          at: time,
          commit: text,
          observed: text,
        }),
        { type: 'null' },
      ],
    },
    blocked: { anyOf: [object({ code: text, reason: text, until: textOrNull }), { type: 'null' }] },
    next: text,
  }),
  Event: object(
    { id: integer, at: time, type: text, message: text },
    { unit: text, commit: text, data: map({}) },
  ),
  LogLine: object({ at: integerOrNull, stream: oneOf('stdout', 'stderr'), text }),
  Token: object({
    name: text,
    role: text,
    created_at: time,
    expires_at: textOrNull,
    revoked_at: textOrNull,
  }),
};
