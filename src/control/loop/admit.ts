/**
 * Takes up the newest commit of the watched branch: valid and inside the guard, it becomes the intent that is kept
 * true; otherwise it is refused with its reasons and the former one stays.
 */
import { hasErrors } from '../../intent/diagnostic.ts';
import { renderLine } from '../../intent/render.ts';
import { guard, type GuardVerdict } from '../../plan/guard.ts';
import type { CommitInfo } from '../../ports.ts';
import { short } from '../../model/ids.ts';
import type { Intent } from '../../model/intent.ts';
import type { Context } from '../context.ts';
import type { Loader } from './load.ts';
import { isTerminal, refuse, seen, supersede, update } from '../records/record.ts';

/** The commit whose intent is kept true, durable so that a restart under an invalid head finds it. */
const ACTIVE_KEY = 'active-commit';

/** Looks at the branch; true when another commit was taken up. */
export async function followHead(ctx: Context, loader: Loader): Promise<boolean> {
  const { repository } = ctx.ports;
  if (ctx.state.intent === null) await restoreActive(ctx, loader);
  const head = await repository.resolve(repository.watchedRef);
  if (head === null || head === ctx.state.head) return false;
  const info = await repository.commit(head);
  if (info === null) return false;
  const record = await seen(ctx, info);
  if (ctx.state.record?.commit === head) {
    ctx.state.head = head;
    return false;
  }
  await supersedeOlder(ctx, head);
  const loaded = await loader.load(head);
  ctx.state.head = head;
  if (loaded.intent === null) {
    const errors = loaded.diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
    const first = errors[0] === undefined ? '' : `: ${renderLine(errors[0])}`;
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    refuse(ctx, head, 'invalid', {
      reason: `the intent is not valid${first}${more}`,
      diagnostics: errors.map(renderLine),
    });
    return false;
  }
  const verdict = judge(ctx, loaded.intent, info);
  if (!verdict.allowed) {
    refuse(ctx, head, 'held', { reason: guardReason(verdict), diagnostics: [] });
    return false;
  }
  if (hasErrors(loaded.diagnostics)) throw new Error('a valid intent has no errors');
  take(ctx, loaded.intent, record.state === 'invalid' || record.state === 'held');
  return true;
}

/** After a restart the former intent is in force until the head has been looked at. */
async function restoreActive(ctx: Context, loader: Loader): Promise<void> {
  const active = ctx.ports.store.values.get(ACTIVE_KEY);
  if (active === null || (await ctx.ports.repository.commit(active)) === null) return;
  const loaded = await loader.load(active);
  const record = ctx.ports.store.commits.get(active);
  if (loaded.intent === null || record === null) return;
  ctx.state.intent = loaded.intent;
  ctx.state.record = record;
  ctx.state.convergingSince = isTerminal(record.state) ? ctx.ports.clock.now() : record.seenAt;
}

function take(ctx: Context, intent: Intent, again: boolean): void {
  if (ctx.state.record !== null) supersede(ctx, ctx.state.record.commit, intent.commit);
  ctx.ports.store.values.put(ACTIVE_KEY, intent.commit);
  ctx.state.intent = intent;
  ctx.ports.sources.reread();
  const record = ctx.ports.store.commits.get(intent.commit);
  // A commit that was left and comes back (a branch set back by hand, a guard now satisfied) is judged anew.
  const fresh = again || (record !== null && (record.state === 'superseded' || record.state === 'failed'));
  ctx.state.record = fresh
    ? update(ctx, intent.commit, { state: 'pending', reason: null, diagnostics: [], supersededBy: null })
    : record;
  ctx.state.convergingSince = ctx.state.record?.seenAt ?? ctx.ports.clock.now();
  ctx.events.emit({
    type: 'commit-taken-up',
    commit: intent.commit,
    message: `taking up ${short(intent.commit)}`,
  });
}

/**
 * Whatever was on its way before gives way to the newest; not a push that has come in since the branch was read, and
 * not the commit in force, which stays so until another one is taken up.
 */
async function supersedeOlder(ctx: Context, head: string): Promise<void> {
  for (const { commit } of ctx.ports.store.commits.unfinished()) {
    if (commit === head || commit === ctx.state.record?.commit) continue;
    if (!(await ctx.ports.repository.isAncestor(head, commit))) supersede(ctx, commit, head);
  }
}

/** What the commit would stop of what runs now. */
export function judge(ctx: Context, intent: Intent, info: CommitInfo): GuardVerdict {
  const running = [...ctx.state.apps.values()]
    .filter((app) => app.links.live !== null)
    .map((app) => app.name);
  return guard({
    running,
    wanted: new Set(intent.apps.keys()),
    maxStop: ctx.state.intent?.system.guard.max_stop ?? intent.system.guard.max_stop,
    message: info.message,
    treeConverged: ctx.ports.store.commits.treeConverged(info.tree),
  });
}

export function guardReason(verdict: GuardVerdict): string {
  return `it would stop ${verdict.stops.length} of what runs: ${verdict.stops.join(', ')}; add the trailer "Mainstay-Allow: stop" to the commit message if that is meant`;
}
