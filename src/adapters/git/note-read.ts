/**
 * Reads notes from refs/notes/mainstay, in whatever layout git or we left them. Notes are handled as bytes (latin1
 * strings) until they are shown, because what others wrote need not be UTF-8.
 */
import { err, failure, ok } from '../../base/result.ts';
import type { Result } from '../../base/result.ts';
import { splitNote } from './note-text.ts';
import { locateNote } from './note-tree.ts';
import { OID, parseTree } from './object-format.ts';
import type { RawEntry } from './object-format.ts';
import type { GitRepository } from './repository.ts';
import type { RepositoryPlace } from './repository-files.ts';

/** Where the notes are. */
export const NOTES_REF = 'refs/notes/mainstay';

const NOTE_MAX_BYTES = 4 * 1024 * 1024;

export interface Note {
  readonly commit: string;
  /** Our YAML mapping; null when the note is somebody else's alone. */
  readonly ours: string | null;
  /** The whole note as git shows it. */
  readonly text: string;
}

/** What reading and writing notes needs of a repository. Without a `place` its refs are moved by git alone. */
export interface NoteTarget extends Pick<GitRepository, 'git' | 'objects' | 'clock'> {
  readonly place?: RepositoryPlace;
}

/** The commit that the notes ref names now; null when there are no notes. */
export async function notesCommit(target: NoteTarget): Promise<string | null> {
  const [head] = await target.objects.batch.heads([NOTES_REF]);
  return head?.oid ?? null;
}

/** Tree of a notes commit. */
export async function notesTree(target: NoteTarget, commit: string | null): Promise<string | null> {
  return commit === null ? null : ((await target.objects.commit(commit))?.tree ?? null);
}

/** Reads each tree once: for many notes in one go. */
export function treeReader(target: NoteTarget): (oid: string) => Promise<readonly RawEntry[]> {
  const trees = new Map<string, readonly RawEntry[]>();
  return async (oid) => {
    const known = trees.get(oid);
    if (known !== undefined) return known;
    const [object] = await target.objects.batch.contents([oid]);
    const entries = parseTree(object?.bytes ?? new Uint8Array());
    trees.set(oid, entries);
    return entries;
  };
}

/** The note at these places as bytes, null for none. Fails with `note-too-large`. */
export async function readTexts(
  target: NoteTarget,
  commit: string,
  found: readonly { readonly oid: string }[],
): Promise<Result<string | null>> {
  if (found.length === 0) return ok(null);
  const oids = found.map((note) => note.oid);
  const heads = await target.objects.batch.heads(oids);
  if (heads.some((head) => head !== null && head.size > NOTE_MAX_BYTES)) {
    return err(
      failure(
        'note-too-large',
        `the note on ${commit} holds more than ${NOTE_MAX_BYTES} bytes of others' text`,
      ),
    );
  }
  const blobs = await target.objects.batch.contents(oids);
  return ok(blobs.map((blob) => blob?.bytes.toString('latin1') ?? '').join('\n'));
}

/** Null when the commit has no note, or one too large to be ours. */
export async function readNote(target: NoteTarget, commit: string): Promise<Note | null> {
  const before = await notesCommit(target);
  const place = await locateNote(treeReader(target), await notesTree(target, before), commit);
  const text = await readTexts(target, commit, place.found);
  return text.ok && text.value !== null ? note(commit, text.value) : null;
}

/** Every note on the ref, in no particular order. */
export async function listNotes(target: NoteTarget): Promise<Note[]> {
  const before = await notesCommit(target);
  if (before === null) return [];
  const places = new Map<string, { readonly oid: string }[]>();
  for (const entry of await target.objects.list(before)) {
    const commit = entry.path.replaceAll('/', '');
    if (OID.test(commit)) places.set(commit, [...(places.get(commit) ?? []), entry]);
  }
  const oids = [...places.values()].flat().map((entry) => entry.oid);
  const blobs = await target.objects.blobs(oids, NOTE_MAX_BYTES);
  return [...places].map(([commit, entries]) => {
    const texts = entries.map((entry) => blobs.get(entry.oid));
    return note(
      commit,
      texts
        .map((text) => (text instanceof Uint8Array ? Buffer.from(text).toString('latin1') : ''))
        .join('\n'),
    );
  });
}

function note(commit: string, bytes: string): Note {
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  return { commit, ours: splitNote(text).ours, text };
}
