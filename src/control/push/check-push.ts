/**
 * pre-receive: what may not pass the door. The watched branch only moves forward, to intent that is valid, whose
 * sources are there and whose blast radius is allowed; our notes are ours. Other refs are the users' own.
 */
import { hasErrors, type Diagnostic } from '../../intent/diagnostic.ts';
import { placeInApp } from '../../intent/place.ts';
import { renderText } from '../../intent/render.ts';
import { counted } from '../../intent/words.ts';
import { failure, type Failure } from '../../base/result.ts';
import type { App, Intent } from '../../model/intent.ts';
import type { Print, PushRequest, RefUpdate } from '../../model/push.ts';
import type { CommitInfo } from '../../ports.ts';
import { guardReason, judge } from '../loop/admit.ts';
import type { Context } from '../context.ts';
import type { Loaded, Loader } from '../loop/load.ts';
import type { Versions } from '../loop/versions.ts';
import { within } from '../within.ts';

const NOTES = 'refs/notes/mainstay';
/** Sources that do not answer by then are warned about, not waited for. */
const SOURCE_LIMIT_MS = 5000;

export interface CheckParts {
  readonly loader: Loader;
  readonly versions: Versions;
}

/** False refuses the whole push; everything that is wrong has been printed. */
export async function checkPush(
  ctx: Context,
  parts: CheckParts,
  push: PushRequest,
  io: { readonly print: Print; readonly signal: AbortSignal },
): Promise<boolean> {
  let accepted = true;
  for (const update of push.updates)
    accepted = (await checkUpdate(ctx, parts, { push, update }, io)) && accepted;
  return accepted;
}

interface Terminal {
  readonly print: Print;
  readonly signal: AbortSignal;
}

async function checkUpdate(
  ctx: Context,
  parts: CheckParts,
  { push, update }: UpdateOfPush,
  io: Terminal,
): Promise<boolean> {
  const refusal = refusedRef(ctx, update) ?? (await refusedMove(ctx, push, update));
  if (refusal !== null) {
    io.print(`error: ${refusal}`);
    return false;
  }
  if (update.after === null || !update.ref.startsWith('refs/heads/')) return true;
  const info = await ctx.ports.repository.commit(update.after, push.quarantine ?? undefined);
  return info === null || checkIntent(ctx, parts, { push, update, info }, io);
}

interface UpdateOfPush {
  readonly push: PushRequest;
  readonly update: RefUpdate;
}

/** Refs that nobody pushes to, and the branch that nobody deletes. */
function refusedRef(ctx: Context, update: RefUpdate): string | null {
  if (update.ref === NOTES || update.ref.startsWith(`${NOTES}/`)) {
    return `${NOTES} is written by Mainstay alone; push notes of your own under another name`;
  }
  if (update.ref !== ctx.ports.repository.watchedRef || update.after !== null) return null;
  return `${ctx.options.branch} is what is kept running and cannot be deleted`;
}

/** The watched branch, and it alone, only moves forward. */
async function refusedMove(ctx: Context, push: PushRequest, update: RefUpdate): Promise<string | null> {
  const { repository } = ctx.ports;
  const quarantine = push.quarantine ?? undefined;
  if (update.ref !== repository.watchedRef || update.after === null) return null;
  if ((await repository.commit(update.after, quarantine)) === null)
    return `${update.ref} must point to a commit`;
  if (update.before === null || (await repository.isAncestor(update.before, update.after, quarantine)))
    return null;
  return `${ctx.options.branch} only moves forward: this push is not a fast-forward; pull (or revert) and push again`;
}

async function checkIntent(
  ctx: Context,
  parts: CheckParts,
  { push, update, info }: UpdateOfPush & { readonly info: CommitInfo },
  io: Terminal,
): Promise<boolean> {
  const watched = update.ref === ctx.ports.repository.watchedRef;
  const loaded = await parts.loader.load(info.oid, push.quarantine ?? undefined);
  const sources = loaded.intent === null ? [] : await checkSources(ctx, parts, loaded, io.signal);
  const diagnostics = [...loaded.diagnostics, ...sources];
  for (const line of renderText(diagnostics).split('\n')) if (line !== '') io.print(line);
  if (loaded.intent !== null && !hasErrors(diagnostics)) {
    return checkGuard(ctx, { intent: loaded.intent, info, watched }, io.print);
  }
  const errors = counted(diagnostics.filter(({ severity }) => severity === 'error').length, 'error');
  if (watched) io.print(`error: ${errors}; nothing was changed, correct and push again`);
  else io.print(`warning: ${errors}; ${ctx.options.branch} would refuse this`);
  return !watched;
}

function checkGuard(
  ctx: Context,
  push: { readonly intent: Intent; readonly info: CommitInfo; readonly watched: boolean },
  print: Print,
): boolean {
  const verdict = judge(ctx, push.intent, push.info);
  if (verdict.allowed) return true;
  print(`${push.watched ? 'error' : 'warning'}: ${guardReason(verdict)}`);
  return !push.watched;
}

/** Sources of apps whose source is new or has changed: unknown is an error, a server that does not answer a warning. */
async function checkSources(
  ctx: Context,
  parts: CheckParts,
  loaded: Loaded,
  signal: AbortSignal,
): Promise<readonly Diagnostic[]> {
  const changed = [...(loaded.intent?.apps.values() ?? [])].filter((app) => sourceChanged(ctx, app));
  const folders = foldersOf(loaded);
  const found = await within(ctx, SOURCE_LIMIT_MS, signal, (limited) => {
    const answers = new Map<string, ReturnType<Versions['resolve']>>();
    // Many apps of one source ask once: thousands of questions would not be answered in the time that a push has.
    const resolve = (app: App): ReturnType<Versions['resolve']> => {
      const key = JSON.stringify(app.source);
      const answer = answers.get(key) ?? parts.versions.resolve(app, loaded.commit, limited);
      answers.set(key, answer);
      return answer;
    };
    const check = async (app: App): Promise<Diagnostic | null> =>
      app.source.repo === '.' && app.source.ref === null
        ? checkOwnFolder(loaded, folders, app)
        : checkSource(loaded, app, resolve);
    return Promise.all(changed.map(check));
  });
  return found.filter((diagnostic) => diagnostic !== null);
}

function sourceChanged(ctx: Context, app: App): boolean {
  const before = ctx.state.intent?.apps.get(app.name);
  return before === undefined || JSON.stringify(before.source) !== JSON.stringify(app.source);
}

/** The key of `source` that is to blame, by failure. */
const KEY_OF: Readonly<Record<string, string>> = {
  'source-path-missing': 'path',
  'source-unreachable': 'repo',
};

async function checkSource(
  loaded: Loaded,
  app: App,
  resolve: (app: App) => ReturnType<Versions['resolve']>,
): Promise<Diagnostic | null> {
  const result = await resolve(app);
  if (result.ok) return null;
  const failure = result.error.code === 'aborted' ? notInTime(app) : result.error;
  // A server may be back in a moment; a folder of this machine that is not there is a mistake in the document.
  const local = app.source.repo.startsWith('/') && failure === result.error;
  const warning = failure.code === 'source-unreachable' && !local;
  const key = KEY_OF[failure.code] ?? 'ref';
  return place(loaded, app, { failure, severity: warning ? 'warning' : 'error', key });
}

function notInTime(app: App): Failure {
  const message = `${app.source.repo} did not answer within ${SOURCE_LIMIT_MS / 1000} s; it is asked again after the push`;
  return failure('source-unreachable', message);
}

/** A folder of the intent repository itself: it is in the very push that is being checked. */
function checkOwnFolder(loaded: Loaded, folders: ReadonlySet<string>, app: App): Diagnostic | null {
  const folder = app.source.path.replace(/\/+$/, '');
  if (folder === '.' || folders.has(folder)) return null;
  const message = `there is no folder ${JSON.stringify(folder)} in this commit`;
  return place(loaded, app, {
    failure: failure('source-path-missing', message),
    severity: 'error',
    key: 'path',
  });
}

function foldersOf(loaded: Loaded): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const path of loaded.entries.keys()) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return folders;
}

function place(
  loaded: Loaded,
  app: App,
  finding: { readonly failure: Failure; readonly severity: Diagnostic['severity']; readonly key: string },
): Diagnostic | null {
  const { code, message } = finding.failure;
  return placeInApp(loaded.parsed, {
    app: app.name,
    path: ['source', finding.key],
    severity: finding.severity,
    code,
    message,
  });
}
