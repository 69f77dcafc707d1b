/**
 * The intent repository as the rest of the daemon sees it: reads at an exact commit, one way to write a commit, and a
 * watch. Follows git, never its own memory: every answer about a ref is asked anew.
 */
import { err, failure, ok } from '../../base/result.ts';
import type { Result } from '../../base/result.ts';
import type { Clock, CommitInfo, IntentRepository, Log, Quarantine, TreeChange } from '../../ports.ts';
import { commitChange } from './commit-change.ts';
import { checkGitVersion, createGit, gitError, quarantineEnvironment, runGit } from './git-command.ts';
import type { Git } from './git-command.ts';
import { openIsoObjects } from './iso-objects.ts';
import { finishMove } from './move-branch.ts';
import { createObjectStore } from './object-store.ts';
import type { ObjectStore } from './object-store.ts';
import { OID } from './object-format.ts';
import { watchRefs } from './ref-watch.ts';
import { ensureBareRepository, locate } from './repository-files.ts';
import type { RepositoryPlace } from './repository-files.ts';
import { removeStaleLocks } from './stale-locks.ts';
import { diffTrees } from './tree-diff.ts';

export interface OpenRepositoryOptions {
  /** A bare repository (made when the path is free) or a work tree, which is followed. */
  readonly path: string;
  /** Short name of the watched branch. */
  readonly branch: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Put into the arguments of every git process, so that it can be told whose it is. */
  readonly dataDir?: string;
  /** Between two looks at the refs without a file event. */
  readonly resolveEveryMs?: number;
}

/** An intent repository, and what the other parts of this adapter need of it. */
export interface GitRepository extends IntentRepository {
  readonly place: RepositoryPlace;
  readonly git: Git;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when the repository is closed. */
  readonly ended: AbortSignal;
  /** Ends the reader process. Nothing can be read afterwards. */
  close(): Promise<void>;
}

const RESOLVE_EVERY_MS = 10_000;
/** Names, hashes, and steps back from them (`HEAD~2`, `v1^`); no searches, no reflogs, no paths. */
const REVISION = /^(?!-)[^\s:?*[\\{}\p{Cc}]+$/u;

/**
 * Fails with `git-missing`, `git-too-old`, `branch-name-invalid`, `repository-missing`, `repository-unsupported`,
 * `repository-unreadable`, `path-invalid`.
 */
export async function openIntentRepository(options: OpenRepositoryOptions): Promise<Result<GitRepository>> {
  const version = await checkGitVersion();
  if (!version.ok) return version;
  const watchedRef = `refs/heads/${options.branch}`;
  if ((await runGit(['check-ref-format', watchedRef])).code !== 0) {
    return err(
      failure('branch-name-invalid', `${JSON.stringify(options.branch)} is no branch name that git accepts`),
    );
  }
  const found = await locate(options.path);
  if (!found.ok) return found;
  const owned = found.value === null || found.value.bare;
  const place = owned
    ? await ensureBareRepository(options.path, options.branch)
    : ok(found.value as RepositoryPlace);
  if (!place.ok) return place;
  return ok(await opened(options, place.value, watchedRef));
}

async function opened(
  options: OpenRepositoryOptions,
  place: RepositoryPlace,
  watchedRef: string,
): Promise<GitRepository> {
  const { clock, log, dataDir } = options;
  const git = createGit({ gitDir: place.gitDir, dataDir });
  const target = { git, place, watchedRef, clock, dataDir };
  await removeStaleLocks(place, clock, log);
  if (!place.bare) await finishMove(target, log);
  const objects = createObjectStore(git, await openIsoObjects(place.gitDir));
  const ended = new AbortController();
  const resolveEveryMs = options.resolveEveryMs ?? RESOLVE_EVERY_MS;
  return {
    watchedRef,
    path: place.path,
    place,
    git,
    objects,
    clock,
    log,
    ended: ended.signal,
    resolve: async (ref) => {
      if (!REVISION.test(ref) || ref.includes('..')) return null;
      const [head] = await objects.batch.heads([`${ref}^{commit}`]);
      return head?.oid ?? null;
    },
    commit: (oid, quarantine) => objects.commit(oid, quarantine),
    list: async (commit, quarantine) => await objects.list(hash(commit), quarantine),
    diff: async (from, to, quarantine) => {
      if (from === null) return (await objects.list(hash(to), quarantine)).map(added);
      const [before, after] = await Promise.all([
        treeOf(objects, from, quarantine),
        treeOf(objects, to, quarantine),
      ]);
      return await diffTrees((oid) => objects.tree(oid, quarantine), before, after);
    },
    read: (oids, maxBytes, quarantine) => objects.blobs(oids, maxBytes, quarantine),
    pathOid: async (commit, path) => await pathOid(objects, commit, path),
    isAncestor: async (ancestor, descendant, quarantine) => {
      // Most pushes add one commit: that needs no process.
      const newest = await objects.commit(descendant, quarantine);
      if (newest?.oid === ancestor || newest?.parents.includes(ancestor) === true) return true;
      const args = ['merge-base', '--is-ancestor', '--end-of-options', hash(ancestor), hash(descendant)];
      const asked = await git.run(args, { env: quarantineEnvironment(quarantine) });
      if (asked.code === 0 || asked.code === 1) return asked.code === 0;
      // What is not there (rewritten and pruned) is nobody's ancestor.
      const known = await Promise.all([
        objects.commit(ancestor, quarantine),
        objects.commit(descendant, quarantine),
      ]);
      if (known.includes(null)) return false;
      throw gitError(args, asked);
    },
    range: async (old, to, limit) => {
      const since = old !== null && (await objects.commit(old)) !== null ? [`^${old}`] : [];
      const args = [
        'rev-list',
        '--topo-order',
        `--max-count=${Math.max(0, Math.floor(limit))}`,
        hash(to),
        ...since,
      ];
      return (await git.must(args)).toString().split('\n').filter(Boolean);
    },
    commitChange: async (change) => await commitChange(target, change),
    watch: (signal) => watchRefs({ place, git, clock, log, resolveEveryMs }, signal),
    close: async () => {
      ended.abort();
      objects.close();
      await Promise.resolve();
    },
  };
}

/** Only full hashes go into arguments; whoever has a name resolves it first. */
function hash(oid: string): string {
  if (!OID.test(oid)) throw new Error(`expected a full commit hash, got ${JSON.stringify(oid)}`);
  return oid;
}

async function treeOf(objects: ObjectStore, commit: string, quarantine?: Quarantine): Promise<string> {
  const found: CommitInfo | null = await objects.commit(hash(commit), quarantine);
  if (found === null) throw new Error(`commit ${commit} is not in the repository`);
  return found.tree;
}

async function pathOid(objects: ObjectStore, commit: string, path: string): Promise<string | null> {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const found = await objects.commit(commit);
  if (found === null || parts.includes('..')) return null;
  let at = { mode: '040000', oid: found.tree };
  for (const part of parts) {
    if (at.mode !== '040000') return null;
    const next = (await objects.tree(at.oid)).find((entry) => entry.name === part);
    if (next === undefined) return null;
    at = next;
  }
  return at.oid;
}

function added(entry: { readonly path: string; readonly oid: string; readonly mode: string }): TreeChange {
  return { path: entry.path, before: null, after: entry.oid, mode: entry.mode };
}
