/**
 * Tells whether a slot still holds what was checked out. The kept index answers from file times and sizes and reads
 * content only where those differ. What setup changed before the promotion is part of the slot.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppFolder } from './app-folder.ts';
import { readFacts, type SlotFacts } from './facts.ts';
import type { SlotGit } from './slot-git.ts';

/** A setup that changes more tracked files than this is not remembered file by file. */
const ALTERED_MAX = 10_000;

/** True when the folder is there and no tracked file differs from the checkout or from what setup made of it. */
export async function isIntact(git: SlotGit, folder: AppFolder, slot: string): Promise<boolean> {
  const facts = await readFacts(folder, slot);
  const found = await lstat(folder.slot(slot)).catch(() => null);
  if (facts === null || found?.isDirectory() !== true) return false;
  const changed = await changedFiles(git, folder, slot, facts);
  if (changed === null) return false;
  for (const path of changed) {
    if (facts.altered?.[path] !== (await mark(join(folder.slot(slot), path)))) return false;
  }
  return true;
}

/** The tracked files that differ from the tree now, with a mark that changes when they change again. */
export async function alteredFiles(
  git: SlotGit,
  folder: AppFolder,
  slot: string,
): Promise<Readonly<Record<string, string>> | null> {
  const facts = await readFacts(folder, slot);
  const changed = facts === null ? null : await changedFiles(git, folder, slot, facts);
  if (changed === null || changed.length > ALTERED_MAX) return null;
  const marks = await Promise.all(
    changed.map(async (path) => [path, await mark(join(folder.slot(slot), path))] as const),
  );
  return Object.fromEntries(marks);
}

/** Null when git cannot tell: the index is missing or torn. */
async function changedFiles(
  git: SlotGit,
  folder: AppFolder,
  slot: string,
  facts: SlotFacts,
): Promise<readonly string[] | null> {
  const index = folder.index(slot);
  if ((await lstat(index).catch(() => null)) === null) return null;
  const listed = await git({
    args: ['ls-files', '-m', '-z'],
    source: facts.gitDir,
    oid: facts.tree,
    index,
    workTree: folder.slot(slot),
  });
  if (listed.end !== 0) return null;
  const paths = listed.stdout.toString('utf8').split('\0');
  const shared = facts.sharedDirs;
  return paths.filter(
    (path) => path !== '' && !shared.some((dir) => path === dir || path.startsWith(`${dir}/`)),
  );
}

async function mark(path: string): Promise<string> {
  const found = await lstat(path).catch(() => null);
  return found === null ? 'gone' : `${found.size}:${found.mtimeMs}:${found.mode}`;
}
