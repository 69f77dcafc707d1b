/** What `wait`, `history` and GET /v1/commits say of a commit, and the verdict: never about any other commit. */
import { err, failure, ok, type Result } from '../../base/result.ts';
import type { CommitRecord } from '../../model/commit-record.ts';
import type { CommitStatus, HistoryItem, Page } from '../../model/control-plane.ts';
import type { Context } from '../context.ts';

type Verdict = CommitStatus['verdict'];

/** How long a chain of superseding commits is followed. */
const CHAIN = 10_000;

export async function commitStatus(ctx: Context, ref: string): Promise<Result<CommitStatus>> {
  const { repository, store } = ctx.ports;
  const commit = await repository.resolve(ref);
  if (commit === null)
    return err(
      failure('unknown-commit', `the intent repository has no commit ${JSON.stringify(ref)}; push it first`),
    );
  const record = store.commits.get(commit) ?? (await unrecorded(ctx, commit));
  if (record === null) {
    return err(
      failure(
        'not-on-branch',
        `${commit} is not on ${ctx.options.branch}, so nothing was done for it; push it there first`,
      ),
    );
  }
  return ok(await statusOf(ctx, record));
}

/** A commit that never was the newest: it came with others in one push, or the daemon did not run. */
async function unrecorded(ctx: Context, commit: string): Promise<CommitRecord | null> {
  const { repository } = ctx.ports;
  const head = await repository.resolve(repository.watchedRef);
  const info = await repository.commit(commit);
  if (head === null || info === null || !(await repository.isAncestor(commit, head))) return null;
  const newest = commit === head;
  return {
    seq: 0,
    revision: 0,
    commit,
    tree: info.tree,
    state: newest ? 'pending' : 'superseded',
    seenAt: info.at,
    at: info.at,
    tookMs: null,
    by: info.author,
    subject: info.message.split('\n')[0] ?? '',
    plan: null,
    apps: {},
    actions: [],
    reason: newest ? null : `superseded by ${head}`,
    diagnostics: [],
    supersededBy: newest ? null : head,
    everConverged: false,
  };
}

async function statusOf(ctx: Context, record: CommitRecord): Promise<CommitStatus> {
  return {
    commit: record.commit,
    state: record.state,
    at: new Date(record.at).toISOString(),
    took_ms: record.tookMs,
    by: record.by,
    subject: record.subject,
    plan: record.plan,
    apps: record.apps,
    actions: record.actions,
    reason: record.reason,
    diagnostics: record.diagnostics,
    superseded_by: record.supersededBy,
    revision: record.revision,
    verdict: await verdictOf(ctx, record),
  };
}

/** A superseded commit is answered by the one that came after it, if that contains it. */
async function verdictOf(ctx: Context, record: CommitRecord): Promise<Verdict> {
  let last = record;
  for (let i = 0; i < CHAIN && last.state === 'superseded' && last.supersededBy !== null; i++) {
    const next = ctx.ports.store.commits.get(last.supersededBy) ?? (await unrecorded(ctx, last.supersededBy));
    if (next === null) break;
    last = next;
  }
  const answer = (done: boolean, good: boolean, message: string): Verdict => ({
    done,
    ok: good,
    commit: last.commit,
    message,
  });
  if (last.commit === record.commit) return ownVerdict(record, answer);
  if (!(await ctx.ports.repository.isAncestor(record.commit, last.commit))) {
    return answer(true, false, `${record.commit} was replaced by ${last.commit}, which does not contain it`);
  }
  const after = `${record.commit} was superseded by ${last.commit}`;
  switch (last.state) {
    case 'converged':
      return answer(true, true, `${after}, which converged`);
    case 'pending':
    case 'converging':
      return answer(false, false, `${after}, which is converging`);
    case 'failed':
    case 'held':
    case 'invalid':
    case 'superseded':
      return answer(
        true,
        false,
        `${after}, which ${last.state === 'failed' ? 'failed' : `is ${last.state}`}: ${last.reason}`,
      );
  }
}

function ownVerdict(
  record: CommitRecord,
  answer: (done: boolean, good: boolean, message: string) => Verdict,
): Verdict {
  switch (record.state) {
    case 'converged':
      return answer(true, true, `converged ${record.commit}`);
    case 'pending':
    case 'converging':
      return answer(false, false, `${record.commit} is ${record.state}`);
    case 'failed':
    case 'held':
    case 'invalid':
    case 'superseded':
      return answer(true, false, `${record.state} ${record.commit}: ${record.reason}`);
  }
}

/** Resolves when the verdict is done, when the revision is another than the one given, or at the limit. */
export async function waitCommit(
  ctx: Context,
  ref: string,
  options: { readonly revision: number | null; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<Result<CommitStatus>> {
  const deadline = ctx.ports.clock.now() + options.timeoutMs;
  for (;;) {
    const changed = new AbortController();
    const unsubscribe = ctx.events.subscribe((event) => {
      if (event.type.startsWith('commit-')) changed.abort();
    });
    try {
      const status = await commitStatus(ctx, ref);
      if (!status.ok || status.value.verdict.done) return status;
      if (options.revision !== null && status.value.revision !== options.revision) return status;
      const left = deadline - ctx.ports.clock.now();
      if (left <= 0 || signal.aborted || ctx.signal.aborted) return status;
      await ctx.ports.clock.sleep(left, AbortSignal.any([changed.signal, signal, ctx.signal]));
    } finally {
      unsubscribe();
    }
  }
}

export function history(
  ctx: Context,
  query: { readonly app?: string; readonly limit: number; readonly cursor?: string },
): Page<HistoryItem> {
  const before = query.cursor === undefined ? {} : { before: Number(query.cursor) };
  const app = query.app === undefined ? {} : { app: query.app };
  const records = ctx.ports.store.commits.list({ limit: query.limit + 1, ...before, ...app });
  const page = records.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page.map((record) => ({
      commit: record.commit,
      at: new Date(record.at).toISOString(),
      by: record.by,
      subject: record.subject,
      state: record.state,
      took_ms: record.tookMs,
      reason: record.reason,
      apps: record.apps,
    })),
    next: records.length > query.limit && last !== undefined ? String(last.seq) : null,
  };
}
