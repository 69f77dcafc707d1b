/**
 * Reads git's own object formats (trees, commits) from their bytes. Pure. Both readers, isomorphic-git and stock git,
 * hand over raw bytes, so that what they say is the same by construction.
 */
import type { CommitInfo } from '../../ports.ts';

export interface RawEntry {
  readonly mode: string;
  readonly name: string;
  readonly oid: string;
}

/** A full SHA-1 object id. */
export const OID = /^[0-9a-f]{40}$/;

/** What git writes for "no object", e.g. a ref that is not there yet. */
export const NO_OBJECT = '0'.repeat(40);

const TREE_MODE = '040000';
const decoder = new TextDecoder();

/** Entries in git's order. Throws on bytes that are no tree. Names that are not UTF-8 carry U+FFFD. */
export function parseTree(bytes: Uint8Array): RawEntry[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: RawEntry[] = [];
  let at = 0;
  while (at < buffer.length) {
    const space = buffer.indexOf(0x20, at);
    const nul = buffer.indexOf(0, space);
    if (space < 0 || nul < 0 || nul + 21 > buffer.length) throw new Error('malformed tree object');
    entries.push({
      mode: canonicalMode(buffer.toString('latin1', at, space)),
      name: decoder.decode(buffer.subarray(space + 1, nul)),
      oid: buffer.toString('hex', nul + 1, nul + 21),
    });
    at = nul + 21;
  }
  return entries;
}

/** True when the entry is a folder. */
export function isTree(entry: { readonly mode: string }): boolean {
  return entry.mode === TREE_MODE;
}

/** Throws on bytes that are no commit. */
export function parseCommit(oid: string, bytes: Uint8Array): CommitInfo {
  const text = decoder.decode(bytes);
  const end = text.indexOf('\n\n');
  const head = end < 0 ? text : text.slice(0, end);
  let tree = '';
  let author = '';
  let at = 0;
  const parents: string[] = [];
  for (const line of head.split('\n')) {
    if (line.startsWith('tree ') && tree === '') tree = line.slice(5);
    else if (line.startsWith('parent ')) parents.push(line.slice(7));
    else if (line.startsWith('author ') && author === '') author = line.slice(7);
    else if (line.startsWith('committer ')) at = stamp(line) * 1000;
  }
  if (!OID.test(tree)) throw new Error(`malformed commit object ${oid}`);
  return {
    oid,
    tree,
    parents,
    author: author.replace(/ -?\d+ [+-]\d{4}$/, ''),
    at,
    message: end < 0 ? '' : text.slice(end + 2),
  };
}

/** Git's order of paths: by their bytes. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** As git shows modes: old trees hold 100664 and the like. */
function canonicalMode(mode: string): string {
  const value = Number.parseInt(mode, 8);
  const type = value & 0o170000;
  if (type === 0o040000) return TREE_MODE;
  if (type === 0o120000) return '120000';
  if (type === 0o100000) return (value & 0o100) === 0 ? '100644' : '100755';
  return '160000';
}

function stamp(line: string): number {
  return Number(/ (-?\d+) [+-]\d{4}$/.exec(line)?.[1] ?? 0);
}
