/** Intent commits: how one fares (with waiting), and all of them in order. */
import { err, failure, ok } from '../base/result.ts';
import type { Result } from '../base/result.ts';
import { durationMs } from './query.ts';
import { answer, failed, json, VIEWERS } from './route.ts';
import type { Answer, ApiParts, Call, Route } from './route.ts';
import { durationInput, nameInput, page, ref, refInput, says } from './schema.ts';

/** Longer waits ask again: proxies between here and there cut quiet connections. */
const WAIT_MAX_MS = 300_000;
const HISTORY_DEFAULT = 50;
const HISTORY_MAX = 500;

async function commit(call: Call, { control }: ApiParts): Promise<Answer> {
  const wanted = String(call.params['commit']);
  const wait = waitMs(call);
  if (!wait.ok) return failed(wait.error);
  if (wait.value === null) return answer(inPath(await control.commit(wanted)));
  const revision = call.query['revision'];
  const options = { revision: revision === undefined ? null : Number(revision), timeoutMs: wait.value };
  return answer(inPath(await control.waitCommit(wanted, options, call.signal)));
}

/** A commit that the path names is what was asked for; one that is not there is 404, not a mistake in the request. */
function inPath<T>(result: Result<T>): Result<T> {
  if (result.ok || result.error.code !== 'unknown-commit') return result;
  return err(failure('commit-not-found', result.error.message));
}

function waitMs(call: Call): Result<number | null> {
  const wait = call.query['wait'];
  if (wait === undefined) return ok(null);
  const ms = durationMs(String(wait));
  if (ms <= WAIT_MAX_MS) return ok(ms);
  return err(
    failure(
      'invalid-request',
      `query.wait must be at most ${WAIT_MAX_MS / 1000}s; ask again when the time is up.`,
      {
        details: { field: 'query.wait' },
      },
    ),
  );
}

async function history(call: Call, { control }: ApiParts): Promise<Answer> {
  const { app, limit, cursor } = call.query;
  return json(
    await control.history({
      limit: Number(limit ?? HISTORY_DEFAULT),
      ...(app === undefined ? {} : { app: String(app) }),
      ...(cursor === undefined ? {} : { cursor: String(cursor) }),
    }),
  );
}

export const commitRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/commits/{commit}',
    id: 'commit',
    summary: 'How an intent commit fares; waits for its verdict when asked to',
    roles: VIEWERS,
    long: true,
    params: {
      commit: says(refInput, 'A commit (also abbreviated), branch or tag of the intent repository.'),
    },
    query: {
      wait: says(
        durationInput,
        'Answer when the verdict is there, or `revision` has changed, or after this time (`30s`, at most `5m`).',
      ),
      revision: says({ type: 'integer', minimum: 0 }, 'The revision that the caller has seen.'),
    },
    answer: { status: 200, description: 'Its state', schema: ref('CommitStatus') },
    errors: ['commit-not-found', 'not-on-branch', 'too-many-streams'],
    handle: commit,
  },
  {
    method: 'GET',
    path: '/v1/history',
    id: 'history',
    summary: 'Intent commits with their results, newest first',
    roles: VIEWERS,
    query: {
      app: says(nameInput, 'Only commits that concern this app.'),
      limit: { type: 'integer', minimum: 1, maximum: HISTORY_MAX },
      cursor: says({ type: 'string', maxLength: 64 }, '`next` of the page before.'),
    },
    answer: { status: 200, description: 'One page', schema: page(ref('HistoryItem')) },
    errors: [],
    handle: history,
  },
];
