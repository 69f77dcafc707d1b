/**
 * The records of intent commits: what the notes, `history` and `wait` say. Every change of a record is durable before
 * anyone hears of it, and its note is written afterwards from the store, so that none is lost.
 */
import { formatDuration } from '../../base/duration.ts';
import {
  TERMINAL,
  type ActionNote,
  type AppNote,
  type CommitRecord,
  type CommitState,
} from '../../model/commit-record.ts';
import type { Plan } from '../../model/plan.ts';
import type { CommitInfo } from '../../ports.ts';
import type { Context } from '../context.ts';

/** Older actions of a commit are dropped from its record. */
const ACTIONS_KEPT = 200;
const DIAGNOSTICS_KEPT = 50;

export function isTerminal(state: CommitState): boolean {
  return TERMINAL.includes(state);
}

/** Of the commits that came with the newest in one push, so many get a record, and with it a note. */
const COMPANIONS_MAX = 100;

/**
 * The record of the newest commit, made as `pending` when the daemon sees it for the first time; the commits that came
 * with it were superseded by it before they were ever in force.
 */
export async function seen(ctx: Context, info: CommitInfo): Promise<CommitRecord> {
  const before = ctx.state.head ?? ctx.state.record?.commit ?? null;
  const alone = before === null || info.parents.includes(before) || before === info.oid;
  if (!alone && ctx.ports.store.commits.get(info.oid) === null) {
    const range = await ctx.ports.repository.range(before, info.oid, COMPANIONS_MAX);
    for (const oid of range.toReversed()) {
      const companion = oid === info.oid ? null : await ctx.ports.repository.commit(oid);
      if (companion !== null) record(ctx, companion, info.oid);
    }
  }
  return record(ctx, info, null);
}

function record(ctx: Context, info: CommitInfo, supersededBy: string | null): CommitRecord {
  const known = ctx.ports.store.commits.get(info.oid);
  if (known !== null) return known;
  const now = ctx.ports.clock.now();
  const made: CommitRecord = {
    seq: (ctx.ports.store.commits.list({ limit: 1 })[0]?.seq ?? 0) + 1,
    revision: 1,
    commit: info.oid,
    tree: info.tree,
    state: supersededBy === null ? 'pending' : 'superseded',
    seenAt: now,
    at: now,
    tookMs: null,
    by: info.author,
    subject: info.message.split('\n')[0] ?? '',
    plan: null,
    apps: {},
    actions: [],
    reason: supersededBy === null ? null : `superseded by ${supersededBy}`,
    diagnostics: [],
    supersededBy,
    everConverged: false,
  };
  ctx.ports.store.commits.put(made);
  return made;
}

/** Writes a change of a record; the revision rises, so its note will be rewritten. */
export function update(ctx: Context, commit: string, change: Partial<CommitRecord>): CommitRecord {
  const before = ctx.ports.store.commits.get(commit);
  if (before === null) throw new Error(`no record of ${commit}`);
  const after: CommitRecord = { ...before, ...change, revision: before.revision + 1 };
  ctx.ports.store.commits.put(after);
  if (ctx.state.record?.commit === commit) ctx.state.record = after;
  return after;
}

/** A newer commit took its place before it came to an end. Ended commits keep their verdict. */
export function supersede(ctx: Context, commit: string, by: string): void {
  const record = ctx.ports.store.commits.get(commit);
  if (record === null || isTerminal(record.state) || commit === by) return;
  const now = ctx.ports.clock.now();
  update(ctx, commit, {
    state: 'superseded',
    at: now,
    tookMs: now - record.seenAt,
    supersededBy: by,
    reason: `superseded by ${by}`,
  });
  ctx.events.emit({
    type: 'commit-superseded',
    commit,
    message: `superseded ${commit}: ${by} is newer`,
    data: { by },
  });
}

/** A commit that cannot be taken up: invalid, or against the guard. What runs goes on under the former one. */
export function refuse(
  ctx: Context,
  commit: string,
  state: 'invalid' | 'held',
  why: { readonly reason: string; readonly diagnostics: readonly string[] },
): void {
  const record = ctx.ports.store.commits.get(commit);
  if (record?.state === state && record.reason === why.reason) return;
  const now = ctx.ports.clock.now();
  const { reason } = why;
  update(ctx, commit, {
    state,
    at: now,
    tookMs: now - (record?.seenAt ?? now),
    reason,
    diagnostics: why.diagnostics.slice(0, DIAGNOSTICS_KEPT),
  });
  ctx.events.emit({
    type: `commit-${state}`,
    commit,
    message: `${state === 'held' ? 'held' : 'failed'} ${commit}: ${reason}`,
  });
}

export function addAction(ctx: Context, commit: string, action: ActionNote): void {
  const record = ctx.ports.store.commits.get(commit);
  if (record === null) return;
  const at = new Date(ctx.ports.clock.now()).toISOString();
  ctx.ports.store.values.put(`last-action:${action.unit}`, JSON.stringify({ ...action, at, commit }));
  update(ctx, commit, { actions: [...record.actions, action].slice(-ACTIONS_KEPT) });
}

/** The current commit moved to another state, or what it says of the apps changed. */
export function report(
  ctx: Context,
  now: {
    readonly state: CommitState;
    readonly reason: string | null;
    /** Null until it is whole. */
    readonly plan: Plan | null;
    readonly apps: Readonly<Record<string, AppNote>>;
  },
): void {
  const record = ctx.state.record;
  if (record === null) return;
  const first = record.plan === null && now.plan !== null;
  const moved = record.state !== now.state || record.reason !== now.reason;
  const appsChanged = JSON.stringify(record.apps) !== JSON.stringify(now.apps);
  if (!first && !moved && !appsChanged) return;
  const at = ctx.ports.clock.now();
  if (moved && now.state === 'converging')
    ctx.state.convergingSince = record.everConverged ? at : record.seenAt;
  const ended = moved && isTerminal(now.state);
  const tookMs = ended ? at - ctx.state.convergingSince : record.tookMs;
  update(ctx, record.commit, {
    state: now.state,
    reason: now.reason,
    apps: now.apps,
    ...(first ? { plan: now.plan?.counts ?? null } : {}),
    ...(moved ? { at, tookMs } : {}),
    everConverged: record.everConverged || now.state === 'converged',
  });
  if (ended) say(ctx, record.commit, now, tookMs ?? 0);
}

function say(
  ctx: Context,
  commit: string,
  now: { readonly state: CommitState; readonly reason: string | null },
  tookMs: number,
): void {
  const message =
    now.state === 'converged'
      ? `converged ${commit} in ${formatDuration(tookMs)}`
      : `${now.state} ${commit}: ${now.reason ?? 'no reason known'}`;
  ctx.events.emit({ type: `commit-${now.state}`, commit, message });
}
