/**
 * What differs between two trees, by object id alone: equal ids are never opened, so one changed file among ten
 * thousand costs the few trees above it. No renames. Decides nothing about what the paths mean.
 */
import type { TreeChange } from '../../ports.ts';
import { GitError } from './git-command.ts';
import { comparePaths, isTree } from './object-format.ts';
import type { RawEntry } from './object-format.ts';

export type TreeReader = (oid: string) => Promise<RawEntry[]>;

/** Deeper folders than this are refused: nobody has them, and each level costs a read. */
const DEPTH_MAX = 200;

/** Sorted by path as git sorts. Null stands for the empty tree. */
export async function diffTrees(
  read: TreeReader,
  from: string | null,
  to: string | null,
): Promise<TreeChange[]> {
  const changes: TreeChange[] = [];
  await compare({ read, changes }, { from, to, prefix: '', depth: 0 });
  return changes.toSorted((a, b) => comparePaths(a.path, b.path));
}

interface Walk {
  readonly read: TreeReader;
  readonly changes: TreeChange[];
}

interface Place {
  readonly from: string | null;
  readonly to: string | null;
  readonly prefix: string;
  readonly depth: number;
}

async function compare(walk: Walk, place: Place): Promise<void> {
  if (place.from === place.to) return;
  if (place.depth > DEPTH_MAX)
    throw new GitError(`folders are nested deeper than ${DEPTH_MAX}: ${place.prefix}`, null, '');
  const before = byName(place.from === null ? [] : await walk.read(place.from));
  const after = byName(place.to === null ? [] : await walk.read(place.to));
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    await compareEntry(walk, place, { name, old: before.get(name), now: after.get(name) });
  }
}

async function compareEntry(
  walk: Walk,
  place: Place,
  entry: { readonly name: string; readonly old: RawEntry | undefined; readonly now: RawEntry | undefined },
): Promise<void> {
  const { name, old, now } = entry;
  if (old?.oid === now?.oid && old?.mode === now?.mode) return;
  const path = `${place.prefix}${name}`;
  const before = sides(old);
  const after = sides(now);
  const mode = after.file?.mode ?? before.file?.mode;
  if (mode !== undefined) {
    walk.changes.push({ path, before: before.file?.oid ?? null, after: after.file?.oid ?? null, mode });
  }
  await compare(walk, { from: before.tree, to: after.tree, prefix: `${path}/`, depth: place.depth + 1 });
}

/** An entry is a folder to descend into, or a file to compare, or not there. */
function sides(entry: RawEntry | undefined): { file: RawEntry | null; tree: string | null } {
  if (entry === undefined) return { file: null, tree: null };
  return isTree(entry) ? { file: null, tree: entry.oid } : { file: entry, tree: null };
}

/** A broken tree may hold one name twice, as file and folder or plainly: the last one counts, as in a checkout. */
function byName(entries: readonly RawEntry[]): Map<string, RawEntry> {
  return new Map(entries.map((entry) => [entry.name, entry]));
}
