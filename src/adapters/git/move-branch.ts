/**
 * Moves the watched branch by compare-and-swap. Where a person has it checked out, the work tree follows first, by
 * git's own two-tree merge: it refuses where uncommitted edits are in the way, so nothing of theirs is ever lost.
 */
import { err, failure, ok } from '../../base/result.ts';
import type { Result } from '../../base/result.ts';
import type { Clock, Log } from '../../ports.ts';
import { createGit, gitError } from './git-command.ts';
import type { Git, GitOutput } from './git-command.ts';
import { COMMITTER, identity } from './identity.ts';
import { NO_OBJECT, OID } from './object-format.ts';
import type { RepositoryPlace } from './repository-files.ts';

/** Names the commit that a work tree is being moved to, for the case that we die half way. */
const PENDING_REF = 'refs/mainstay/pending';

export interface CommitTarget {
  readonly git: Git;
  readonly place: RepositoryPlace;
  readonly watchedRef: string;
  readonly clock: Clock;
  readonly dataDir: string | undefined;
}

/** Fails with `ref-moved`, `work-tree-dirty`, `work-tree-locked`; the branch is then where it was. */
export async function moveBranch(
  target: CommitTarget,
  parent: string | null,
  commit: string,
): Promise<Result<string>> {
  const checkedOut = !target.place.bare && (await headOf(target.git)) === target.watchedRef;
  if (!checkedOut) return (await moveRef(target, parent, commit)) ? ok(commit) : err(refMoved(target));
  if ((await refNow(target)) !== parent) return err(refMoved(target));
  const tree = createGit({
    gitDir: target.place.gitDir,
    workTree: target.place.path,
    dataDir: target.dataDir,
  });
  await target.git.must(['update-ref', PENDING_REF, commit]);
  try {
    // A file that was only touched is not an edit.
    await tree.run(['update-index', '-q', '--refresh'], { cwd: target.place.path });
    // The work tree before the ref: the other way round a crash in between would show our change as undone by them.
    const followed = await checkoutTree(tree, target.place.path, { from: parent, to: commit });
    if (followed.code !== 0) return err(workTreeFailure(target.place.path, followed));
    if (await moveRef(target, parent, commit)) return ok(commit);
    await checkoutTree(tree, target.place.path, { from: commit, to: parent });
    return err(refMoved(target));
  } finally {
    await target.git.run(['update-ref', '-d', PENDING_REF]);
  }
}

/** At start: a commit whose work tree had followed when we died, while the branch had not, gets its branch. */
export async function finishMove(target: CommitTarget, log: Log): Promise<void> {
  const shown = await target.git.run(['rev-parse', '--verify', '--quiet', PENDING_REF]);
  const pending = shown.stdout.toString().trim();
  if (!OID.test(pending)) return;
  const parents = await target.git.run(['rev-parse', '--verify', '--quiet', `${pending}^`]);
  const parent = OID.test(parents.stdout.toString().trim()) ? parents.stdout.toString().trim() : null;
  const followed = await target.git.run(['diff-index', '--cached', '--quiet', pending]);
  const branchWaits = (await headOf(target.git)) === target.watchedRef && (await refNow(target)) === parent;
  if (branchWaits && followed.code === 0 && (await moveRef(target, parent, pending))) {
    log.info('finished a commit that was cut short', { commit: pending });
  }
  await target.git.run(['update-ref', '-d', PENDING_REF]);
}

async function checkoutTree(
  git: Git,
  cwd: string,
  step: { readonly from: string | null; readonly to: string | null },
): Promise<GitOutput> {
  const empty = step.from === null || step.to === null ? await emptyTree(git) : '';
  return await git.run(['read-tree', '-m', '-u', step.from ?? empty, step.to ?? empty], { cwd });
}

async function moveRef(target: CommitTarget, from: string | null, to: string): Promise<boolean> {
  const args = ['update-ref', '-m', 'mainstay: commit', target.watchedRef, to, from ?? NO_OBJECT];
  const date = `${Math.floor(target.clock.now() / 1000)} +0000`;
  const moved = await target.git.run(args, { env: identity(COMMITTER, date) });
  if (moved.code === 0) return true;
  if ((await refNow(target)) !== from || /cannot lock ref|Unable to create/.test(moved.stderr)) return false;
  throw gitError(args, moved);
}

async function refNow(target: CommitTarget): Promise<string | null> {
  const shown = await target.git.run(['rev-parse', '--verify', '--quiet', target.watchedRef]);
  const oid = shown.stdout.toString().trim();
  return OID.test(oid) ? oid : null;
}

async function headOf(git: Git): Promise<string> {
  return (await git.run(['symbolic-ref', '--quiet', 'HEAD'])).stdout.toString().trim();
}

async function emptyTree(git: Git): Promise<string> {
  return (await git.must(['mktree'])).toString().trim();
}

function workTreeFailure(dir: string, output: GitOutput): ReturnType<typeof failure> {
  const said = output.stderr.trim();
  if (/index\.lock/.test(said)) {
    const what = `another git command is at work in ${dir}, or left its index.lock behind`;
    return failure('work-tree-locked', `${what}; try again when it has ended`, {
      retry: { kind: 'after', ms: 1000 },
    });
  }
  const first = said.split('\n', 1)[0] ?? '';
  return failure(
    'work-tree-dirty',
    `uncommitted edits in ${dir} are in the way (${first}); commit or stash them and try again`,
  );
}

function refMoved(target: CommitTarget): ReturnType<typeof failure> {
  const what = `${target.watchedRef} was moved by somebody else meanwhile`;
  return failure('ref-moved', `${what}; look again and retry`, { retry: { kind: 'after', ms: 0 } });
}
