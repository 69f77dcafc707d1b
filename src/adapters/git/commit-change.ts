/**
 * Writes one commit on the watched branch: objects with a private index, then the work tree of a checked-out branch,
 * then the ref by compare-and-swap. Nothing of the user's is ever overwritten: git itself refuses, and so do we.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { err, failure, ok } from '../../base/result.ts';
import type { Result } from '../../base/result.ts';
import type { Clock, CommitChange } from '../../ports.ts';
import { createGit, gitError } from './git-command.ts';
import type { Git, GitOutput } from './git-command.ts';
import { OID } from './object-format.ts';
import type { RepositoryPlace } from './repository-files.ts';

/** Who commits when Mainstay writes: the author stays the person who asked. */
export const COMMITTER = { name: 'Mainstay', mail: 'mainstay@localhost' } as const;

const NO_COMMIT = '0'.repeat(40);

export interface CommitTarget {
  readonly git: Git;
  readonly place: RepositoryPlace;
  readonly watchedRef: string;
  readonly clock: Clock;
  readonly dataDir: string | undefined;
}

/**
 * The new commit; `parent` itself when nothing would change. Fails with `ref-moved`, `work-tree-dirty`,
 * `work-tree-locked`, `path-invalid`.
 */
export async function commitChange(target: CommitTarget, change: CommitChange): Promise<Result<string>> {
  const author = parseAuthor(change.author);
  const bad = change.files.find((file) => !isSafePath(file.path));
  if (bad !== undefined)
    return err(failure('path-invalid', `a commit cannot hold the path ${JSON.stringify(bad.path)}`));
  const dir = await mkdtemp(path.join(os.tmpdir(), 'mainstay-index-'));
  try {
    const env = { GIT_INDEX_FILE: path.join(dir, 'index') };
    const tree = await writeTree(target.git, change, env);
    if (tree === null) return err(failure('path-invalid', 'git refused a path of this change'));
    if (change.parent !== null && tree === (await treeOf(target.git, change.parent)))
      return ok(change.parent);
    const date = `${Math.floor(target.clock.now() / 1000)} +0000`;
    const parents = change.parent === null ? [] : ['-p', change.parent];
    const written = await target.git.must(['commit-tree', tree, ...parents, '-F', '-'], {
      stdin: change.message.endsWith('\n') ? change.message : `${change.message}\n`,
      env: { ...identity(author, date), ...env },
    });
    return await moveBranch(target, change.parent, written.toString().trim());
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The environment that makes a commit's author and committer. */
export function identity(
  author: { readonly name: string; readonly mail: string },
  date: string,
): Record<string, string> {
  return {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.mail,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: COMMITTER.name,
    GIT_COMMITTER_EMAIL: COMMITTER.mail,
    GIT_COMMITTER_DATE: date,
  };
}

async function writeTree(
  git: Git,
  change: CommitChange,
  env: Record<string, string>,
): Promise<string | null> {
  if (change.parent !== null) await git.must(['read-tree', '--end-of-options', change.parent], { env });
  const modes = change.parent === null ? new Map<string, string>() : await modesOf(git, change);
  let index = '';
  for (const file of change.files) {
    if (file.text === null) {
      index += `0 ${NO_COMMIT}\t${file.path}\0`;
      continue;
    }
    const oid = (await git.must(['hash-object', '-w', '--stdin', '--no-filters'], { stdin: file.text }))
      .toString()
      .trim();
    index += `${modes.get(file.path) ?? '100644'} ${oid}\t${file.path}\0`;
  }
  const updated = await git.run(['update-index', '-z', '--index-info'], { stdin: index, env });
  if (updated.code !== 0) return null;
  return (await git.must(['write-tree'], { env })).toString().trim();
}

/** An executable file stays one. */
async function modesOf(git: Git, change: CommitChange): Promise<Map<string, string>> {
  const paths = change.files.map((file) => file.path);
  const listed = await git.must(['ls-tree', '-z', '--full-tree', change.parent ?? '', '--', ...paths]);
  const modes = new Map<string, string>();
  for (const line of listed.toString().split('\0')) {
    const [head = '', name = ''] = line.split('\t');
    if (head.startsWith('100755 ')) modes.set(name, '100755');
  }
  return modes;
}

async function moveBranch(
  target: CommitTarget,
  parent: string | null,
  commit: string,
): Promise<Result<string>> {
  const checkedOut = !target.place.bare && (await headOf(target.git)) === target.watchedRef;
  if (!checkedOut) return (await moveRef(target, parent, commit)) ? ok(commit) : err(refMoved(target));
  // The work tree follows before the ref: were it the other way round, a crash between the two would show the user
  // our change as undone by them.
  if ((await refNow(target)) !== parent) return err(refMoved(target));
  const tree = createGit({
    gitDir: target.place.gitDir,
    workTree: target.place.path,
    dataDir: target.dataDir,
  });
  // A file that was only touched is not an edit.
  await tree.run(['update-index', '-q', '--refresh'], { cwd: target.place.path });
  const followed = await checkoutTree(tree, target.place.path, { from: parent, to: commit });
  if (followed.code !== 0) return err(workTreeFailure(target.place.path, followed));
  if (await moveRef(target, parent, commit)) return ok(commit);
  await checkoutTree(tree, target.place.path, { from: commit, to: parent });
  return err(refMoved(target));
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
  const args = ['update-ref', '-m', 'mainstay: commit', target.watchedRef, to, from ?? NO_COMMIT];
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

async function treeOf(git: Git, commit: string): Promise<string> {
  return (await git.must(['rev-parse', '--verify', `${commit}^{tree}`])).toString().trim();
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

/** `Name <mail>`; what git would refuse or cut is taken out. */
function parseAuthor(author: string): { name: string; mail: string } {
  const clean = (text: string): string => text.replace(/[<>]|\p{Cc}/gu, '').trim();
  const match = /^(.*?)\s*<([^<>]*)>\s*$/s.exec(author);
  const name = clean(match?.[1] ?? author);
  return { name: name === '' ? COMMITTER.name : name, mail: clean(match?.[2] ?? '') || COMMITTER.mail };
}

function isSafePath(file: string): boolean {
  if (file === '' || file.includes('\0') || file.includes('\\')) return false;
  return file
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git');
}
