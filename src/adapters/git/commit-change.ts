/**
 * Writes one commit on top of a parent with a private index, and has the branch moved to it. Decides how a change
 * becomes a tree; how the branch moves stands in its own file.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { err, failure, ok } from '../../base/result.ts';
import type { Result } from '../../base/result.ts';
import type { CommitChange } from '../../ports.ts';
import type { Git } from './git-command.ts';
import { COMMITTER, identity } from './identity.ts';
import { moveBranch } from './move-branch.ts';
import type { CommitTarget } from './move-branch.ts';
import { NO_OBJECT } from './object-format.ts';

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
      index += `0 ${NO_OBJECT}\t${file.path}\0`;
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

async function treeOf(git: Git, commit: string): Promise<string> {
  return (await git.must(['rev-parse', '--verify', `${commit}^{tree}`])).toString().trim();
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
