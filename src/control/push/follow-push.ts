/**
 * post-receive: tells the pusher what happens until the verdict. The work is the daemon's: nothing here is waited for by
 * anyone but the pusher's terminal.
 */
import type { Event } from '../../model/event.ts';
import type { Action, Plan } from '../../model/plan.ts';
import type { Print, PushRequest } from '../../model/push.ts';
import type { Context } from '../context.ts';
import { describeAction } from '../describe.ts';
import { isTerminal, seen, supersede } from '../records/record.ts';

/** The verdict's note is on its ref before the verdict is printed, unless that takes longer than this. */
const NOTE_LIMIT_MS = 5000;

export interface FollowParts {
  /** The plan of a commit against what is live. */
  readonly planOf: (commit: string) => Promise<Plan | null>;
  readonly notesIdle: (limitMs: number) => Promise<boolean>;
}

export async function followPush(
  ctx: Context,
  parts: FollowParts,
  push: PushRequest,
  io: { readonly print: Print; readonly signal: AbortSignal },
): Promise<void> {
  const { repository } = ctx.ports;
  for (const update of push.updates) {
    if (update.after === null) continue;
    if (update.ref === repository.watchedRef) await followCommit(ctx, parts, update.after, io);
    else if (update.ref.startsWith('refs/heads/')) await showPlan(parts, update, io.print);
  }
}

async function showPlan(
  parts: FollowParts,
  update: { readonly ref: string; readonly after: string | null },
  print: Print,
): Promise<void> {
  const plan = update.after === null ? null : await parts.planOf(update.after);
  if (plan === null) return;
  print(`plan of ${update.ref.slice('refs/heads/'.length)} against what is live:`);
  for (const line of planLines(plan)) print(line);
}

/** The plan in words: one line an action, then the counts. */
function planLines(plan: Plan): readonly string[] {
  const { start, stop, swap, unchanged } = plan.counts;
  return [
    ...plan.actions.map(
      (action: Action) =>
        `plan: ${action.unit}: ${describeAction(action)}${action.after.length === 0 ? '' : `, after ${action.after.join(', ')}`}`,
    ),
    ...plan.blocked.map((block) => `plan: ${block.unit}: nothing is done: ${block.reason}`),
    `plan: ${start} to start, ${swap} to swap, ${stop} to stop, ${unchanged} unchanged`,
  ];
}

async function followCommit(
  ctx: Context,
  parts: FollowParts,
  commit: string,
  io: { readonly print: Print; readonly signal: AbortSignal },
): Promise<void> {
  const info = await ctx.ports.repository.commit(commit);
  if (info === null) return;
  const ended = new AbortController();
  const planned = new Set<string>();
  const hear = (event: Event): void => {
    if (event.commit !== commit) return;
    if (isVerdict(event)) ended.abort();
    else show(event, planned, io.print);
  };
  for (const event of sinceTakenUp(ctx, commit)) hear(event);
  const unsubscribe = ctx.events.subscribe(hear);
  try {
    const record = await seen(ctx, info);
    await leaveToNewer(ctx, commit);
    ctx.wake();
    if (isTerminal(ctx.ports.store.commits.get(commit)?.state ?? record.state)) ended.abort();
    const limit = AbortSignal.any([ended.signal, io.signal, ctx.signal]);
    await ctx.ports.clock.sleep(ctx.options.followLimitMs, limit);
  } finally {
    unsubscribe();
  }
  if (io.signal.aborted) return;
  await parts.notesIdle(NOTE_LIMIT_MS);
  io.print(verdictLine(ctx, commit));
}

/** The loop may have seen the ref move before this hook ran: what it said since is caught up with. */
function sinceTakenUp(ctx: Context, commit: string): readonly Event[] {
  const { events } = ctx.events.since(0);
  const from = events.findLastIndex((event) => event.type === 'commit-taken-up' && event.commit === commit);
  return from < 0 ? [] : events.slice(from + 1);
}

/** Two pushes close together: by the time the first is followed, the branch may be at the second. */
async function leaveToNewer(ctx: Context, commit: string): Promise<void> {
  const head = await ctx.ports.repository.resolve(ctx.ports.repository.watchedRef);
  if (head !== null && head !== commit && ctx.state.record?.commit !== commit) supersede(ctx, commit, head);
}

function isVerdict(event: Event): boolean {
  return /^commit-(converged|failed|held|invalid|superseded)$/.test(event.type);
}

/** The plan names its actions; their beginning is not said a second time. */
function show(event: Event, planned: Set<string>, print: Print): void {
  const plan = event.type === 'commit-planned' ? (event.data?.['plan'] as Plan | undefined) : undefined;
  if (plan !== undefined) {
    for (const action of plan.actions) planned.add(action.unit);
    for (const line of planLines(plan)) print(line);
  } else if (event.type !== 'action-started' || !planned.delete(event.unit ?? '')) {
    print(event.message);
  }
}

/** One of two forms, whatever the state: programs that push read it. */
function verdictLine(ctx: Context, commit: string): string {
  const record = ctx.ports.store.commits.get(commit);
  const seconds = ((record?.tookMs ?? 0) / 1000).toFixed(2);
  switch (record?.state) {
    case 'converged':
      return `converged ${commit} in ${seconds} s`;
    case 'superseded':
      return `failed ${commit}: superseded by ${record.supersededBy}, which is newer`;
    case 'failed':
    case 'held':
    case 'invalid':
      return `failed ${commit}: ${record.reason}`;
    case 'pending':
    case 'converging':
    case undefined:
      return `still converging ${commit}; \`mainstay wait ${commit.slice(0, 12)}\` goes on from here`;
  }
}
