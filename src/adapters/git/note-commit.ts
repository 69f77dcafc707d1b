/**
 * Puts notes on refs/notes/mainstay: one notes commit for all of them, built beside the ref and put on it by
 * compare-and-swap. Whoever else writes there loses nothing: we look again and build anew.
 */
import { err, failure, ok } from '../../base/result.ts';
import type { Result } from '../../base/result.ts';
import { gitError } from './git-command.ts';
import { COMMITTER, identity } from './identity.ts';
import { NOTES_REF, notesCommit, notesTree, readTexts, treeReader } from './note-read.ts';
import type { NoteTarget } from './note-read.ts';
import { mergeNote } from './note-text.ts';
import { locateNote } from './note-tree.ts';
import { NO_OBJECT, OID } from './object-format.ts';
import { lockRef } from './ref-lock.ts';
import type { RefLock } from './ref-lock.ts';

/** Keeps what is being built alive; hidden from clients. */
const BUILD_REF = 'refs/mainstay/notes';

const ATTEMPTS_MAX = 200;
const LIMIT_MS = 60_000;
const ATTEMPTS_WITHOUT_LOCK = 3;
const RETRY_MAX_MS = 60;

/**
 * `texts` by commit; `jitter` is uniform in [0, 1). Fails with `note-conflict` (others were faster every time) and
 * `note-too-large`.
 */
export async function writeNotes(
  target: NoteTarget,
  jitter: () => number,
  texts: ReadonlyMap<string, string>,
): Promise<Result<void>> {
  const stray = [...texts.keys()].find((commit) => !OID.test(commit));
  if (stray !== undefined) throw new Error(`expected a full commit hash, got ${JSON.stringify(stray)}`);
  const endsAt = target.clock.now() + LIMIT_MS;
  for (let attempt = 0; attempt < ATTEMPTS_MAX && target.clock.now() < endsAt; attempt += 1) {
    // Whoever asks politely may lose for ever against many; then nobody moves the ref while we build.
    const insists = attempt >= ATTEMPTS_WITHOUT_LOCK && target.place !== undefined;
    const lock = insists ? await lockRef(target.place.commonDir, NOTES_REF, target.clock) : null;
    try {
      const written = await writeOnce(target, texts, lock);
      if (!written.ok || written.value) return written.ok ? ok() : written;
    } finally {
      await lock?.release();
    }
    await target.clock.sleep(jitter() * Math.min(RETRY_MAX_MS, attempt * 2));
  }
  const message = `${NOTES_REF} was moved by others every time, or its lock file was left behind`;
  return err(failure('note-conflict', message, { retry: { kind: 'backoff' } }));
}

/** False when somebody else moved the ref meanwhile. */
async function writeOnce(
  target: NoteTarget,
  texts: ReadonlyMap<string, string>,
  lock: RefLock | null,
): Promise<Result<boolean>> {
  const before = await notesCommit(target);
  const changes = await planChanges(target, before, texts);
  if (!changes.ok) return changes;
  if (changes.value === '') return ok(true);
  const built = await build(target, before, changes.value);
  if (lock === null) return ok(await swap(target, before, built));
  await lock.commit(built);
  return ok(true);
}

/** Commands for fast-import; empty when every note already says what it should. */
async function planChanges(
  target: NoteTarget,
  before: string | null,
  texts: ReadonlyMap<string, string>,
): Promise<Result<string>> {
  const readTree = treeReader(target);
  const root = await notesTree(target, before);
  let commands = '';
  for (const [commit, text] of texts) {
    const place = await locateNote(readTree, root, commit);
    const read = await readTexts(target, commit, place.found);
    if (!read.ok) return read;
    const existing = read.value;
    // As bytes: what others wrote need not be UTF-8, and comes out as it went in.
    const merged = mergeNote(existing, Buffer.from(text).toString('latin1'));
    const [first, ...others] = place.found;
    if (existing === merged && others.length === 0 && first?.path === place.path) continue;
    for (const old of place.found) if (old.path !== place.path) commands += `D ${old.path}\n`;
    commands += `M 100644 inline ${place.path}\ndata ${merged.length}\n${merged}\n`;
  }
  return ok(commands);
}

/** The notes commit with these changes, on no ref that anybody reads. */
async function build(target: NoteTarget, before: string | null, commands: string): Promise<string> {
  const message = 'Notes by Mainstay\n';
  const committer = `${COMMITTER.name} <${COMMITTER.mail}> ${seconds(target)} +0000`;
  const from = before === null ? '' : `from ${before}\n`;
  const header = `commit ${BUILD_REF}\nmark :1\ncommitter ${committer}\ndata ${message.length}\n${message}${from}`;
  const args = ['fast-import', '--quiet', '--force', '--date-format=raw'];
  const stdin = Buffer.from(`${header}${commands}\nget-mark :1\n`, 'latin1');
  const commit = (await target.git.must(args, { stdin })).toString().trim();
  if (!OID.test(commit))
    throw new Error(`git fast-import named no commit but ${JSON.stringify(commit.slice(0, 80))}`);
  return commit;
}

async function swap(target: NoteTarget, before: string | null, after: string): Promise<boolean> {
  const args = ['update-ref', '-m', 'mainstay: notes', NOTES_REF, after, before ?? NO_OBJECT];
  const moved = await target.git.run(args, { env: identity(COMMITTER, `${seconds(target)} +0000`) });
  if (moved.code === 0) return true;
  if (/cannot lock ref|Unable to create/.test(moved.stderr)) return false;
  throw gitError(args, moved);
}

function seconds(target: NoteTarget): number {
  return Math.floor(target.clock.now() / 1000);
}
