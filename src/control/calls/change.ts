/**
 * Imperative calls become commits: deploy and rollback edit `source.ref`, suspend and resume edit `suspend`, everything
 * else in the file stays byte for byte. When a deploy fails, the branch goes back to what is live.
 */
import { err, failure, ok, type Failure, type Result } from '../../base/result.ts';
import { setAppRef, setAppSuspend } from '../../intent/edit.ts';
import { MAX_FILE_BYTES } from '../../intent/parse.ts';
import type { Caller } from '../../model/control-plane.ts';
import type { Hold } from '../../model/hold.ts';
import { short } from '../../model/ids.ts';
import type { Context } from '../context.ts';
import { endPendingDeploy, pendingDeploys, putPendingDeploy, type PendingDeploy } from './pending-deploy.ts';

const ATTEMPTS = 5;

export interface RefChange {
  readonly app: string;
  readonly ref: string;
  readonly caller: Caller;
  readonly message: string;
}

/** Commits a new `source.ref`; the commit, or the head as it is when nothing had to change. */
export function commitRef(
  ctx: Context,
  change: RefChange,
): Promise<Result<{ readonly commit: string; readonly changed: boolean }>> {
  const { app, ref, caller, message } = change;
  return commitEdit(ctx, {
    app,
    author: authorOf(caller),
    message,
    edit: (text) => setAppRef(text, app, ref),
  });
}

export function commitSuspend(
  ctx: Context,
  app: string,
  suspended: boolean,
  caller: Caller,
): Promise<Result<{ readonly commit: string; readonly changed: boolean }>> {
  const message = `${app}: ${suspended ? 'suspend' : 'resume'}`;
  return commitEdit(ctx, {
    app,
    author: authorOf(caller),
    message,
    edit: (text) => setAppSuspend(text, app, suspended),
  });
}

export function authorOf(caller: Caller): string {
  return `${caller.name} <${caller.name.replace(/[^A-Za-z0-9._-]/g, '-')}@mainstay>`;
}

/** Remembers how to undo a deploy that has just been committed. */
export function expectOutcome(
  ctx: Context,
  deploy: { readonly app: string; readonly intent: string; readonly author: string },
  formerRef: string | null,
): void {
  const live = ctx.state.apps.get(deploy.app)?.links.live?.commit ?? null;
  putPendingDeploy(ctx, { ...deploy, backTo: live ?? formerRef });
}

/**
 * Called in every pass: a pending deploy whose version is held goes back, one whose version is live is done, and one
 * that a newer commit has overtaken is left to that commit.
 */
export async function goBackAfterFailure(ctx: Context): Promise<void> {
  for (const pending of pendingDeploys(ctx).values()) {
    if (ctx.state.apps.get(pending.app)?.work) continue;
    const held = heldVersion(ctx, pending);
    if (await isOver(ctx, pending)) endPendingDeploy(ctx, pending.app);
    else if (held !== null) await goBack(ctx, pending, held);
  }
}

/** Live as asked, or left to a newer commit. */
async function isOver(ctx: Context, pending: PendingDeploy): Promise<boolean> {
  if (pending.intent !== ctx.state.head) return overtaken(ctx, pending.intent);
  const live = ctx.state.apps.get(pending.app)?.links.live;
  return (
    live !== undefined && live !== null && live.digest === ctx.state.desired?.apps.get(pending.app)?.digest
  );
}

function heldVersion(ctx: Context, pending: PendingDeploy): Hold | null {
  if (pending.intent !== ctx.state.head) return null;
  const digest = ctx.state.desired?.apps.get(pending.app)?.digest;
  const isIt = (hold: Hold): boolean =>
    hold.unit === pending.app && hold.kind === 'version' && hold.digest === digest;
  return ctx.ports.store.holds.all().find(isIt) ?? null;
}

/** Forgotten only when the branch is back: a daemon that dies in between goes back when it is back itself. */
async function goBack(ctx: Context, pending: PendingDeploy, held: Hold): Promise<void> {
  const { app, author, backTo } = pending;
  if (backTo !== null) {
    const message = `${app}: go back to ${short(backTo)}\n\nThe deploy asked for by ${short(pending.intent)} failed: ${held.reason}`;
    const edit = (text: string): Result<string> => setAppRef(text, app, backTo);
    const back = await commitEdit(ctx, { app, author, message, edit });
    const reason = back.ok ? null : back.error.message;
    if (reason !== null)
      ctx.ports.log.warn('the branch could not go back after a failed deploy', { app, reason });
  }
  endPendingDeploy(ctx, app);
  ctx.wake();
}

/** The branch has moved on from that commit. */
export async function overtaken(ctx: Context, intent: string): Promise<boolean> {
  const { head } = ctx.state;
  return head !== null && head !== intent && (await ctx.ports.repository.isAncestor(intent, head));
}

interface Edit {
  readonly app: string;
  readonly author: string;
  readonly message: string;
  readonly edit: (text: string) => Result<string>;
}

async function commitEdit(
  ctx: Context,
  change: Edit,
): Promise<Result<{ readonly commit: string; readonly changed: boolean }>> {
  for (let attempt = 1; ; attempt++) {
    const result = await tryEdit(ctx, change);
    if (result.ok || result.error.code !== 'ref-moved' || attempt === ATTEMPTS) return result;
  }
}

async function tryEdit(
  ctx: Context,
  change: Edit,
): Promise<Result<{ readonly commit: string; readonly changed: boolean }>> {
  const { repository } = ctx.ports;
  const head = await repository.resolve(repository.watchedRef);
  const path = ctx.state.intent?.files.get(change.app);
  if (head === null || path === undefined) return err(unknownUnit(change.app));
  const refused = refusedHead(ctx, head);
  if (refused !== null) return err(refused);
  const oid = await repository.pathOid(head, path);
  const blob = oid === null ? undefined : (await repository.read([oid], MAX_FILE_BYTES)).get(oid);
  if (blob === undefined || typeof blob === 'string') return err(unknownUnit(change.app));
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(blob);
  const edited = change.edit(text);
  if (!edited.ok) return edited;
  if (edited.value === text) return ok({ commit: head, changed: false });
  const { author, message } = change;
  const written = await repository.commitChange({
    parent: head,
    files: [{ path, text: edited.value }],
    author,
    message,
  });
  return written.ok ? ok({ commit: written.value, changed: true }) : written;
}

/** Nothing that is committed on top of a refused commit would be taken up; null when this one was not refused. */
export function refusedHead(ctx: Context, commit: string): Failure | null {
  const record = ctx.ports.store.commits.get(commit);
  if (record === null || ctx.state.record?.commit === commit) return null;
  if (record.state !== 'invalid' && record.state !== 'held') return null;
  const said = `${ctx.options.branch} is at ${short(commit)}, which is ${record.state}: ${record.reason}`;
  return failure('intent-invalid', `${said}; correct that first, then ask again`, {
    details: { commit, diagnostics: record.diagnostics },
  });
}

export function unknownUnit(unit: string): ReturnType<typeof failure> {
  return failure('unknown-unit', `intent names no unit ${JSON.stringify(unit)}`);
}
