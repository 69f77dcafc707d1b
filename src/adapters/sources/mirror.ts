/**
 * Our own bare copy of a repository behind a URL. Asks the other side for its refs first and fetches only when they
 * differ from what was fetched last; remembers for a short while that a server did not answer.
 */
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { err, failure, ok, type Failure, type Result } from '../../base/result.ts';
import type { Clock, Random } from '../../ports.ts';
import { writeFileDurable } from '../system/durable-file.ts';
import { sourceGitEnvironment } from '../system/git-environment.ts';
import { runProgram, type ProgramEnd } from '../system/run-program.ts';
import { withoutCredentials, type Location } from './location.ts';
import { unreachable } from './resolve-in.ts';

type Remote = Extract<Location, { kind: 'remote' }>;

export interface Mirror {
  readonly gitDir: string;
  /** Brings refs and objects up to date. Answers from a check not older than `maxAgeMs` are good enough. */
  refresh(maxAgeMs: number, signal: AbortSignal): Promise<Result<{ readonly moved: boolean }>>;
  /** Asks for one commit that no branch or tag leads to; many servers give those too. False when it did not come. */
  fetchCommit(oid: string, signal: AbortSignal): Promise<boolean>;
}

export interface MirrorOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
}

const LIST_LIMIT_MS = 20_000;
const FETCH_LIMIT_MS = 300_000;
/** So long a server that did not answer is not asked again: every pass would wait for it otherwise. */
const UNREACHABLE_FOR_MS = 3_000;
/** A server that sends nearly nothing for ten seconds counts as gone. */
const NETWORK_SETTINGS = ['-c', 'http.lowSpeedLimit=500', '-c', 'http.lowSpeedTime=10', '-c', 'gc.auto=0'];

/** Makes no file and asks nobody before the first call. Calls run one after another. */
export function createMirror(remote: Remote, options: MirrorOptions): Mirror {
  const gitDir = join(options.folder, `${remote.id}.git`);
  const inTurn = createQueue();
  let checkedAt = Number.NEGATIVE_INFINITY;
  let failed: { readonly at: number; readonly failure: Failure } | null = null;

  async function refresh(
    maxAgeMs: number,
    signal: AbortSignal,
  ): Promise<Result<{ readonly moved: boolean }>> {
    const now = options.clock.now();
    if (now - checkedAt <= maxAgeMs) return ok({ moved: false });
    if (failed !== null && now - failed.at < UNREACHABLE_FOR_MS) return err(failed.failure);
    await ensure(options, gitDir);
    const updated = await update(remote, gitDir, signal);
    if (updated.ok) checkedAt = now;
    failed = updated.ok || signal.aborted ? null : { at: options.clock.now(), failure: updated.error };
    return updated;
  }

  return {
    gitDir,
    refresh: (maxAgeMs, signal) => inTurn(() => refresh(maxAgeMs, signal), signal, CALLED_OFF),
    fetchCommit: (oid, signal) =>
      inTurn(async () => (await fetch({ remote, gitDir, wanted: [oid], signal })).end === 0, signal, false),
  };
}

async function update(
  remote: Remote,
  gitDir: string,
  signal: AbortSignal,
): Promise<Result<{ readonly moved: boolean }>> {
  const seenFile = join(gitDir, 'mainstay-refs');
  const list = ['ls-remote', '--heads', '--tags', '--end-of-options', remote.url];
  const listed = await git(gitDir, list, { timeoutMs: LIST_LIMIT_MS, signal });
  if (listed.end !== 0) return err(refusal(remote, listed));
  const refs = listed.stdout.toString('utf8');
  if (refs === (await readFile(seenFile, 'utf8').catch(() => null))) return ok({ moved: false });
  const fetched = await fetch({ remote, gitDir, wanted: ALL_REFS, signal });
  if (fetched.end !== 0) return err(refusal(remote, fetched));
  // Written after the fetch: a crash before this line costs one more fetch and loses nothing.
  await writeFileDurable(seenFile, refs);
  return ok({ moved: true });
}

interface Fetch {
  readonly remote: Remote;
  readonly gitDir: string;
  readonly wanted: readonly string[];
  readonly signal: AbortSignal;
}

function fetch({ remote, gitDir, wanted, signal }: Fetch): Promise<ProgramEnd> {
  const flags = ['--quiet', '--prune', '--no-tags', '--no-write-fetch-head', '--end-of-options'];
  return git(gitDir, ['fetch', ...flags, remote.url, ...wanted], { timeoutMs: FETCH_LIMIT_MS, signal });
}

function git(
  gitDir: string,
  args: readonly string[],
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ProgramEnd> {
  return runProgram('git', [...NETWORK_SETTINGS, `--git-dir=${gitDir}`, ...args], {
    env: sourceGitEnvironment(),
    ...limits,
  });
}

function refusal(remote: Remote, end: ProgramEnd): Failure {
  const words = withoutCredentials(end.stderr).trim();
  return unreachable(remote, words === '' ? `git ended with ${end.end}.` : words);
}

type Turn = <T>(work: () => Promise<T>, signal: AbortSignal, otherwise: T) => Promise<T>;

/** Runs work one piece after another; who is called off while waiting for another's fetch gets `otherwise`. */
function createQueue(): Turn {
  let last: Promise<unknown> = Promise.resolve();
  return (work, signal, otherwise) => {
    const mine = last.then(() => (signal.aborted ? otherwise : work()));
    last = mine.catch(() => {});
    return new Promise((resolve, reject) => {
      const giveUp = (): void => resolve(otherwise);
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) giveUp();
      mine.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
    });
  };
}

const CALLED_OFF: Result<never> = err(failure('aborted', 'The wait for the source was cancelled.'));

const ALL_REFS = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];

/** A half-made repository never stands under the final name. */
async function ensure(options: MirrorOptions, gitDir: string): Promise<void> {
  if ((await readFile(join(gitDir, 'HEAD')).catch(() => null)) !== null) return;
  await mkdir(options.folder, { recursive: true });
  const temporary = `${gitDir}.${options.random.hex(4)}.tmp`;
  const made = await runProgram('git', ['init', '--quiet', '--bare', '--template=', '--', temporary], {
    env: sourceGitEnvironment(),
  });
  if (made.end !== 0) throw new Error(`git init ${temporary}: ${made.stderr}`);
  await rm(gitDir, { recursive: true, force: true });
  await rename(temporary, gitDir);
}
