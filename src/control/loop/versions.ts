/**
 * Which commit each app's source means now. Answers are kept; what can move (branches, tags, what could not be reached)
 * is asked again when the sources say so. A pass never waits for a repository.
 */
import { err, failure, type Failure, type Result } from '../../base/result.ts';
import { messageOf, traceOf } from '../../base/thrown.ts';
import type { App, Intent } from '../../model/intent.ts';
import type { SourceRef, SourceVersion } from '../../model/source.ts';
import { desiredApp, type Desired, type DesiredApp } from '../../plan/desired.ts';
import type { Context } from '../context.ts';
import { within } from '../within.ts';
import { atMost } from './at-most.ts';

/** Repositories asked at once. */
const PARALLEL = 8;
/** One answer may take this long. */
const LIMIT_MS = 60_000;
const RETRY_MS = 15_000;

interface Known {
  readonly result: Result<SourceVersion>;
  readonly retryAt: number | null;
}

export interface Versions {
  /** What is known now; asks for the rest, and wakes the loop when an answer comes. */
  desired(intent: Intent): Desired;
  /** The answer for one app, waited for. */
  resolve(app: App, intentCommit: string, signal: AbortSignal): Promise<Result<SourceVersion>>;
  /** Something that can move may have moved. */
  invalidate(): void;
}

export function sourceRef(app: App): SourceRef {
  return { repo: app.source.repo, ref: app.source.ref, path: app.source.path };
}

/** The app as it would be if its document named `ref`. */
export function pinned(app: App, ref: string): App {
  return { ...app, source: { ...app.source, ref } };
}

export function createVersions(ctx: Context): Versions {
  const answers = createAnswers(ctx);
  const made = new WeakMap<App, DesiredApp>();
  const refs = new WeakMap<App, Asked>();

  function askedFor(app: App, commit: string): Asked {
    const before = refs.get(app);
    if (before?.commit === commit) return before;
    const ref = sourceRef(app);
    const asked = { commit, ref, key: keyOf(ref, commit) };
    refs.set(app, asked);
    return asked;
  }

  function desiredOf(app: App, commit: string): DesiredApp {
    const known = answers.get(askedFor(app, commit));
    const version = known?.result.ok === true ? known.result.value : null;
    const problem: Failure | null = known?.result.ok === false ? known.result.error : null;
    const before = made.get(app);
    if (before !== undefined && before.version === version && before.failure === problem) return before;
    const fresh = desiredApp(app, version, problem);
    made.set(app, fresh);
    return fresh;
  }

  return {
    desired(intent) {
      const apps = new Map([...intent.apps.values()].map((app) => [app.name, desiredOf(app, intent.commit)]));
      answers.trim(apps.size * 2 + 100, () =>
        [...intent.apps.values()].map((app) => askedFor(app, intent.commit).key),
      );
      return { commit: intent.commit, system: intent.system, apps };
    },
    resolve: (app, intentCommit, signal) => answers.ask(sourceRef(app), intentCommit, signal),
    invalidate: () => answers.refreshMovable(ctx.state.intent?.commit ?? ''),
  };
}

/** A question with the key that names it, made once for each app and commit. */
interface Asked {
  readonly commit: string;
  readonly ref: SourceRef;
  readonly key: string;
}

interface Answers {
  /** What is known; asks in the background when nothing is, or when it is time to ask again. */
  get(asked: Asked): Known | undefined;
  ask(ref: SourceRef, commit: string, signal: AbortSignal): Promise<Result<SourceVersion>>;
  refreshMovable(commit: string): void;
  /** Forgets the oldest beyond the limit, but none that is in use. */
  trim(limit: number, inUse: () => readonly string[]): void;
}

function createAnswers(ctx: Context): Answers {
  const known = new Map<string, Known & { readonly ref: SourceRef }>();
  const asking = new Set<string>();
  const inTurn = atMost(PARALLEL);

  async function ask(ref: SourceRef, commit: string, signal: AbortSignal): Promise<Result<SourceVersion>> {
    const resolve = (limited: AbortSignal): Promise<Result<SourceVersion>> =>
      ctx.ports.sources.resolve(ref, commit, limited);
    const answer = await inTurn(() => within(ctx, LIMIT_MS, signal, resolve));
    const cut = !answer.ok && answer.error.code === 'aborted';
    if (cut && signal.aborted) return answer;
    const result = cut ? err(tooLate(ref)) : answer;
    keep(ref, commit, result);
    return result;
  }

  function keep(ref: SourceRef, commit: string, result: Result<SourceVersion>): void {
    const key = keyOf(ref, commit);
    const before = known.get(key)?.result;
    known.set(key, { ref, result, retryAt: retryAt(ctx, result) });
    if (JSON.stringify(before) !== JSON.stringify(result)) ctx.wake();
  }

  function refresh(ref: SourceRef, commit: string): void {
    const key = keyOf(ref, commit);
    if (asking.has(key) || ctx.signal.aborted) return;
    asking.add(key);
    void ask(ref, commit, ctx.signal)
      .catch((error: unknown) => {
        ctx.ports.log.error('a source could not be looked up', { repo: ref.repo, error: traceOf(error) });
        const message = `${ref.repo} could not be looked up: ${messageOf(error)}`;
        const retry = { kind: 'after', ms: RETRY_MS } as const;
        keep(ref, commit, err(failure('source-unreachable', message, { retry })));
      })
      .finally(() => asking.delete(key));
  }

  return {
    ask,
    get({ ref, commit, key }) {
      const answer = known.get(key);
      const due = answer?.retryAt !== null && ctx.ports.clock.now() >= (answer?.retryAt ?? 0);
      if (answer === undefined || due) refresh(ref, commit);
      return answer;
    },
    refreshMovable(commit) {
      for (const { ref, result } of known.values()) {
        if (ref.ref !== null && (!result.ok || result.value.followed)) refresh(ref, commit);
      }
    },
    trim(limit, inUse) {
      if (known.size <= limit) return;
      const used = new Set(inUse());
      for (const key of known.keys()) {
        if (known.size <= limit) return;
        if (!used.has(key)) known.delete(key);
      }
    },
  };
}

function tooLate(ref: SourceRef): Failure {
  const retry = { kind: 'after', ms: RETRY_MS } as const;
  return failure('source-unreachable', `${ref.repo} did not answer within ${LIMIT_MS / 1000} s`, { retry });
}

function keyOf(ref: SourceRef, commit: string): string {
  return JSON.stringify([ref.repo, ref.ref, ref.path, ref.ref === null ? commit : '']);
}

function retryAt(ctx: Context, result: Result<SourceVersion>): number | null {
  if (result.ok || result.error.retry.kind === 'never') return null;
  return ctx.ports.clock.now() + (result.error.retry.kind === 'after' ? result.error.retry.ms : RETRY_MS);
}
