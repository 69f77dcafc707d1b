/** Looks at a tree before anything of it is written: what a slot cannot hold is refused here. */
import { err, failure, ok, type Result } from '../../base/result.ts';
import type { SourceVersion } from '../../model/source.ts';
import { leavesTree } from './link-target.ts';
import type { SlotGit } from './slot-git.ts';

interface Entry {
  readonly mode: string;
  readonly oid: string;
  readonly size: number;
  readonly path: string;
}

const POINTER = 'version https://git-lfs.github.com/spec/v1';
const POINTER_MAX_BYTES = 1024;

/**
 * Failures: `slot-unsafe-symlink`, `slot-submodule`, `slot-lfs-pointer`, `checkout-failed` when git cannot read the
 * tree, `aborted`.
 */
export async function checkTree(
  git: SlotGit,
  version: SourceVersion,
  signal: AbortSignal,
): Promise<Result<void>> {
  const listed = await git({
    args: ['ls-tree', '-r', '-z', '--full-tree', version.tree],
    ...objectsOf(version),
    signal,
  });
  if (listed.end !== 0) return err(checkoutFailed(version, listed));
  const entries = parseEntries(listed.stdout);

  const submodule = entries.find((entry) => entry.mode === '160000');
  if (submodule !== undefined) {
    const message = `${submodule.path} is a submodule, and submodules are not checked out. Add its files to the repository, or fetch them in setup_command.`;
    return err(
      failure('slot-submodule', message, { details: { path: submodule.path, commit: version.commit } }),
    );
  }
  return checkContent(git, version, entries, signal);
}

async function checkContent(
  git: SlotGit,
  version: SourceVersion,
  entries: readonly Entry[],
  signal: AbortSignal,
): Promise<Result<void>> {
  const symlinks = entries.filter((entry) => entry.mode === '120000');
  const attributes = entries.filter((entry) => /(^|\/)\.gitattributes$/.test(entry.path));
  const texts = await readBlobs(git, version, [...symlinks, ...attributes], signal);
  const links = new Map(symlinks.map((entry) => [entry.path, texts.get(entry.oid) ?? '']));
  const unsafe = symlinks.find((entry) => leavesTree(entry.path, links));
  if (unsafe !== undefined) {
    const target = JSON.stringify(links.get(unsafe.path));
    const message = `The symlink ${unsafe.path} leads to ${target}, outside the slot. Link only to what is in the app's own folder.`;
    return err(
      failure('slot-unsafe-symlink', message, { details: { path: unsafe.path, commit: version.commit } }),
    );
  }
  if (!attributes.some((entry) => /\bfilter=lfs\b/.test(texts.get(entry.oid) ?? ''))) return ok();
  return checkPointers(git, version, signal);
}

/** Without the real file a pointer would be served in its place, and nobody would notice before a user does. */
async function checkPointers(
  git: SlotGit,
  version: SourceVersion,
  signal: AbortSignal,
): Promise<Result<void>> {
  const listed = await git({
    args: ['ls-tree', '-r', '-l', '-z', '--full-tree', version.tree],
    ...objectsOf(version),
    signal,
  });
  const small = parseEntries(listed.stdout).filter(
    (entry) => entry.mode.startsWith('100') && entry.size < POINTER_MAX_BYTES,
  );
  const texts = await readBlobs(git, version, small, signal);
  const pointer = small.find((entry) => texts.get(entry.oid)?.startsWith(POINTER) === true);
  if (pointer === undefined) return ok();
  const message = `${pointer.path} is a Git LFS pointer, not the file itself, and LFS is not supported for sources. Keep the file in git, or fetch it in setup_command.`;
  return err(
    failure('slot-lfs-pointer', message, { details: { path: pointer.path, commit: version.commit } }),
  );
}

function objectsOf(version: SourceVersion): { readonly source: string; readonly oid: string } {
  return { source: version.gitDir, oid: version.tree };
}

/** Texts by object id; what git does not give is left out. */
async function readBlobs(
  git: SlotGit,
  version: SourceVersion,
  entries: readonly Entry[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  if (entries.length === 0) return texts;
  const input = [...new Set(entries.map((entry) => entry.oid))].map((oid) => `${oid}\n`).join('');
  const { stdout } = await git({ args: ['cat-file', '--batch'], ...objectsOf(version), input, signal });
  for (let at = 0; at < stdout.length;) {
    const lineEnd = stdout.indexOf(10, at);
    if (lineEnd === -1) break;
    const [oid, , size] = stdout.toString('utf8', at, lineEnd).split(' ');
    at = lineEnd + 1;
    if (oid === undefined || size === undefined) continue;
    texts.set(oid, stdout.toString('utf8', at, at + Number(size)));
    at += Number(size) + 1;
  }
  return texts;
}

function parseEntries(output: Buffer): readonly Entry[] {
  return output
    .toString('utf8')
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const tab = line.indexOf('\t');
      const [mode = '', , oid = '', size = ''] = line.slice(0, tab).split(/ +/);
      return { mode, oid, size: Number(size), path: line.slice(tab + 1) };
    });
}

/** Git's own words go to `log_tail`. Tried again later: most often a disk or a memory that is full. */
export function checkoutFailed(
  version: SourceVersion,
  end: { readonly end: unknown; readonly stderr: string },
): ReturnType<typeof failure> {
  if (end.end === 'cancelled') return failure('aborted', 'The checkout was cancelled.');
  const words = end.stderr.trim().split('\n');
  const last = words.at(-1) ?? '';
  return failure(
    'checkout-failed',
    `The commit ${version.commit.slice(0, 12)} cannot be checked out: ${last === '' ? `git ended with ${String(end.end)}` : last}`,
    { retry: { kind: 'backoff' }, details: { commit: version.commit, log_tail: words.slice(-40) } },
  );
}
