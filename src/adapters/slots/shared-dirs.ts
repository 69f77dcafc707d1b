/** Links an app's persistent folders into a slot. What the tree holds at such a place is the folder's first content. */
import { lstat, readlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { err, failure, ok, type Result } from '../../base/result.ts';
import type { Random } from '../../ports.ts';
import type { AppFolder } from './app-folder.ts';
import type { Files } from './files.ts';

export interface SharedDirs {
  readonly files: Files;
  readonly random: Random;
  readonly folder: AppFolder;
  readonly signal: AbortSignal;
}

/**
 * The names tidied: no doubled slashes, none inside another. Failure: `shared-dir-invalid` for one that is no folder
 * inside the slot.
 */
export function plainSharedDirs(dirs: readonly string[]): Result<readonly string[]> {
  const plain: string[] = [];
  for (const dir of dirs) {
    const parts = dir.split('/').filter((part) => part !== '' && part !== '.');
    if (dir.startsWith('/') || dir.includes('\0') || parts.length === 0 || parts.includes('..')) {
      return err(invalid(dir, 'it must be a folder below the app\'s own, such as "data" or "var/uploads"'));
    }
    plain.push(parts.join('/'));
  }
  const sorted = [...new Set(plain)].toSorted();
  return ok(sorted.filter((dir) => !sorted.some((other) => dir.startsWith(`${other}/`))));
}

/** Puts a link for each into `slotDir`. Failure: `shared-dir-invalid` when a link stands on the way to one. */
export async function linkSharedDirs(
  tools: SharedDirs,
  slotDir: string,
  dirs: readonly string[],
): Promise<Result<void>> {
  for (const dir of dirs) {
    const place = join(slotDir, dir);
    const crossing = await linkOnTheWay(slotDir, dir);
    if (crossing !== null) return err(invalid(dir, `${crossing} is a symlink in this version`));
    const home = join(tools.folder.shared, dir);
    const seeded = await seed(tools, place, home);
    if (!seeded) return err(failure('aborted', 'The checkout was cancelled.'));
    await tools.files.remove(place);
    await tools.files.makeFolder(dirname(place));
    // Relative, so that the data folder may be moved as a whole.
    await tools.files.link(relative(dirname(place), home), place);
  }
  return ok();
}

/** Removes the links that a former checkout made, so that nothing is ever written through them. */
export async function unlinkSharedDirs(
  tools: SharedDirs,
  slotDir: string,
  dirs: readonly string[],
): Promise<void> {
  for (const dir of dirs) {
    const place = join(slotDir, dir);
    if ((await readlink(place).catch(() => null)) !== null) await tools.files.remove(place);
  }
}

/** True when the persistent folder is there; it is made whole under another name first. */
async function seed(tools: SharedDirs, place: string, home: string): Promise<boolean> {
  if ((await lstat(home).catch(() => null)) !== null) return true;
  await tools.files.makeFolder(dirname(home));
  const first = await lstat(place).catch(() => null);
  if (first?.isDirectory() !== true) {
    await tools.files.makeFolder(home);
    return true;
  }
  const temporary = tools.folder.scratch(tools.random.hex(4));
  if (!(await tools.files.copyTree(place, temporary, tools.signal))) return false;
  await tools.files.rename(temporary, home);
  return true;
}

async function linkOnTheWay(slotDir: string, dir: string): Promise<string | null> {
  const parts = dir.split('/');
  for (let depth = 1; depth < parts.length; depth += 1) {
    const path = parts.slice(0, depth).join('/');
    if ((await lstat(join(slotDir, path)).catch(() => null))?.isSymbolicLink() === true) return path;
  }
  return null;
}

function invalid(dir: string, why: string): ReturnType<typeof failure> {
  return failure('shared-dir-invalid', `The shared folder ${JSON.stringify(dir)} cannot be used: ${why}.`, {
    details: { shared_dir: dir },
  });
}
