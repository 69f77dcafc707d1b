/**
 * Where the note of a commit stands in a notes tree. Git spreads many notes over folders of two hex digits, to any
 * depth and not always evenly, so a note may stand at several places at once (git then shows all of them).
 */
import { isTree } from './object-format.ts';
import type { RawEntry } from './object-format.ts';

export interface NotePlace {
  /** All places where there is a note of this commit now, nearest the root first. */
  readonly found: readonly { readonly path: string; readonly oid: string }[];
  /** Where to write it, so that no folder grows large. */
  readonly path: string;
}

/** `root` null means that there are no notes yet. `read` may keep what it read: trees never change. */
export async function locateNote(
  read: (oid: string) => Promise<readonly RawEntry[]>,
  root: string | null,
  commit: string,
): Promise<NotePlace> {
  const found: { path: string; oid: string }[] = [];
  let tree = root;
  let prefix = '';
  let rest = commit;
  let crowded = false;
  while (tree !== null && rest.length > 0) {
    const entries = await read(tree);
    const note = entries.find((entry) => entry.name === rest && !isTree(entry));
    if (note !== undefined) found.push({ path: prefix + rest, oid: note.oid });
    const next = entries.find((entry) => entry.name === rest.slice(0, 2));
    tree = next !== undefined && isTree(next) ? next.oid : null;
    if (tree === null) {
      // Something else than a folder has the name: it stays.
      crowded = next !== undefined;
      break;
    }
    prefix += `${rest.slice(0, 2)}/`;
    rest = rest.slice(2);
  }
  const spread = prefix === '' && !crowded ? `${rest.slice(0, 2)}/${rest.slice(2)}` : prefix + rest;
  return { found, path: spread };
}
