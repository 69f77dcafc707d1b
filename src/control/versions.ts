/**
 * Which commit each app's source means now. Answers are kept; what can move (branches, tags, what could not be reached)
 * is asked again when the sources say so. A pass never waits for a repository.
 */
import { failure, type Failure, type Result } from '../base/result.ts';
import type { App, Intent } from '../model/intent.ts';
import type { SourceRef, SourceVersion } from '../model/source.ts';
import { desiredApp, type Desired, type DesiredApp } from '../plan/desired.ts';
import type { Context } from './context.ts';

/** Repositories asked at once. */
const PARALLEL = 8;
/** One answer may take this long. */
const LIMIT_MS = 60_000;

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

export function createVersions(ctx: Context): Versions {
  const known = new Map<string, Known>();
  const asking = new Map<string, Promise<void>>();
  const waiting: (() => void)[] = [];
  const digests = new WeakMap<App, DesiredApp>();

  const keyOf = (ref: SourceRef, commit: string): string =>
    JSON.stringify([ref.repo, ref.ref, ref.path, ref.ref === null ? commit : '']);

  async function ask(ref: SourceRef, commit: string, signal: AbortSignal): Promise<Result<SourceVersion>> {
    if (asking.size > PARALLEL) await new Promise<void>((resolve) => waiting.push(resolve));
    const result = await ctx.ports.sources.resolve(
      ref,
      commit,
      AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
    );
    waiting.shift()?.();
    return result;
  }

  function remember(key: string, result: Result<SourceVersion>): void {
    const retry = result.ok ? null : result.error.retry;
    const retryAt =
      retry?.kind === 'after'
        ? ctx.ports.clock.now() + retry.ms
        : retry?.kind === 'backoff'
          ? ctx.ports.clock.now() + 15_000
          : null;
    const before = known.get(key);
    known.set(key, { result, retryAt });
    if (JSON.stringify(before?.result) !== JSON.stringify(result)) ctx.wake();
  }

  function refresh(key: string, ref: SourceRef, commit: string): void {
    if (asking.has(key)) return;
    const asked = ask(ref, commit, ctx.signal).then(
      (result) => remember(key, result),
      (error: unknown) =>
        remember(key, {
          ok: false,
          error: failure('source-unreachable', `${ref.repo}: ${String(error)}`, {
            retry: { kind: 'after', ms: 15_000 },
          }),
        }),
    );
    asking.set(
      key,
      asked.finally(() => asking.delete(key)),
    );
  }

  function lookUp(app: App, commit: string): { version: SourceVersion | null; failure: Failure | null } {
    const ref = sourceRef(app);
    const key = keyOf(ref, commit);
    const answer = known.get(key);
    if (answer === undefined || (answer.retryAt !== null && ctx.ports.clock.now() >= answer.retryAt))
      refresh(key, ref, commit);
    if (answer === undefined) return { version: null, failure: null };
    return answer.result.ok
      ? { version: answer.result.value, failure: null }
      : { version: null, failure: answer.result.error };
  }

  return {
    desired(intent) {
      const apps = new Map<string, DesiredApp>();
      for (const app of intent.apps.values()) {
        const found = lookUp(app, intent.commit);
        const before = digests.get(app);
        const same =
          before !== undefined && before.version === found.version && before.failure === found.failure;
        const made = same ? before : desiredApp(app, found.version, found.failure);
        digests.set(app, made);
        apps.set(app.name, made);
      }
      trim(known, apps.size * 2 + 100);
      return { commit: intent.commit, system: intent.system, apps };
    },
    async resolve(app, intentCommit, signal) {
      const ref = sourceRef(app);
      const result = await ask(ref, intentCommit, signal);
      remember(keyOf(ref, intentCommit), result);
      return result;
    },
    invalidate() {
      for (const [key, answer] of known) {
        if (answer.result.ok && !answer.result.value.followed) continue;
        const [repo, ref, path] = JSON.parse(key) as [string, string | null, string];
        if (ref !== null) refresh(key, { repo, ref, path }, ctx.state.intent?.commit ?? '');
      }
    },
  };
}

function trim(map: Map<string, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}
