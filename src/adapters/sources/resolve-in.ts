/** What a ref and a path mean in one repository that is at hand. Decides the order of meanings; fetches nothing. */
import { err, failure, ok, type Result } from '../../base/result.ts';
import { messageOf } from '../../base/thrown.ts';
import type { SourceRef, SourceVersion } from '../../model/source.ts';
import { lookUp, type Answer, type Ask } from './look-up.ts';

export interface Place {
  readonly gitDir: string;
  /** How messages name the repository. */
  readonly shown: string;
}

/**
 * Tags go before branches, branches before abbreviated hashes, as in git itself; annotated tags are peeled. A full
 * hash is that commit whatever refs say.
 * Failures: `unknown-commit`, `source-path-missing`, `source-unreachable` (git cannot read the repository).
 */
export async function resolveIn(
  place: Place,
  source: SourceRef,
  ref: string,
  signal: AbortSignal,
): Promise<Result<SourceVersion>> {
  const path = plainPath(source.path);
  if (path === null) return err(pathMissing(place, source, ref, 'it leads out of the repository'));
  if (!isRefName(ref))
    return err(unknownCommit(place, ref, 'it is not a hash and not the name of a tag or branch'));
  try {
    return await lookUp(place.gitDir, signal, (ask) => read(ask, { place, source, ref, path }));
  } catch (error) {
    if (signal.aborted) return err(failure('aborted', 'The wait for the source was cancelled.'));
    return err(unreachable(place, messageOf(error)));
  }
}

interface Wanted {
  readonly place: Place;
  readonly source: SourceRef;
  readonly ref: string;
  readonly path: string;
}

async function read(ask: Ask, { place, source, ref, path }: Wanted): Promise<Result<SourceVersion>> {
  const meanings = meaningsOf(ref);
  const answers = await ask(meanings.map((meaning) => `${meaning.name}^{commit}`));
  const index = answers.findIndex((answer) => isType(answer, 'commit'));
  const commit = answers[index];
  if (typeof commit !== 'object') {
    const why = answers.includes('ambiguous')
      ? 'more than one object begins with these characters; give more of them'
      : 'there is no such commit, tag or branch';
    return err(unknownCommit(place, ref, why));
  }
  const [tree] = await ask([path === '' ? `${commit.oid}^{tree}` : `${commit.oid}:${path}`]);
  if (typeof tree !== 'object')
    return err(pathMissing(place, source, commit.oid, 'there is nothing of that name'));
  if (tree.type !== 'tree') return err(pathMissing(place, source, commit.oid, 'it is not a folder'));
  return ok({
    source,
    commit: commit.oid,
    tree: tree.oid,
    gitDir: place.gitDir,
    followed: meanings[index]?.followed ?? false,
  });
}

function isType(answer: Answer, type: string): boolean {
  return typeof answer === 'object' && answer.type === type;
}

function meaningsOf(ref: string): readonly { readonly name: string; readonly followed: boolean }[] {
  if (isFullHash(ref)) return [{ name: ref, followed: false }];
  if (ref.startsWith('refs/')) return [{ name: ref, followed: !ref.startsWith('refs/tags/') }];
  return [
    { name: `refs/tags/${ref}`, followed: false },
    { name: `refs/heads/${ref}`, followed: true },
    { name: `refs/remotes/${ref}`, followed: true },
    // What is left is an abbreviated hash, or HEAD, which moves with its branch.
    { name: ref, followed: ref === 'HEAD' },
  ];
}

/** True for a whole object id, which needs no ref and, once its object is here, no network. */
export function isFullHash(ref: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}

/** Names only: git's operators (`~`, `^`, `:`, `@{`, ranges) would make `ref` mean something that no one reviewed. */
function isRefName(ref: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what git forbids here
  const forbidden = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\.lock(\/|$)|(^|\/)\.|\.$|\/$/;
  return ref !== '' && ref !== '@' && !ref.startsWith('-') && !ref.startsWith('/') && !forbidden.test(ref);
}

/** Slashes tidied, `` for the root, null for what no tree can hold. */
function plainPath(path: string): string | null {
  if (path.startsWith('/') || /[\0\n]/.test(path)) return null;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? null : parts.join('/');
}

function unknownCommit(place: Place, ref: string, why: string): ReturnType<typeof failure> {
  return failure('unknown-commit', `${JSON.stringify(ref)} is not known in ${place.shown}: ${why}.`, {
    details: { ref, repository: place.shown },
  });
}

function pathMissing(place: Place, source: SourceRef, at: string, why: string): ReturnType<typeof failure> {
  const path = JSON.stringify(source.path);
  return failure(
    'source-path-missing',
    `The folder ${path} is not in ${place.shown} at ${at.slice(0, 12)}: ${why}.`,
    {
      details: { path: source.path, commit: at, repository: place.shown },
    },
  );
}

/** The repository cannot be read now; the world may mend it, so it is tried again. */
export function unreachable(place: { readonly shown: string }, why: string): ReturnType<typeof failure> {
  const reason = why.trim().split('\n').slice(-3).join(' ');
  return failure('source-unreachable', `The repository ${place.shown} cannot be read: ${reason}`, {
    retry: { kind: 'after', ms: 15_000 },
    details: { repository: place.shown },
  });
}
