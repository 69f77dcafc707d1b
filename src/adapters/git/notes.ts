/**
 * The one writer of refs/notes/mainstay: a serial queue that turns everything that waits into one notes commit, and
 * in which the repository is repacked, too. How a note is merged and put on the ref stands in its own files.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { err, failure } from '../../base/result.ts';
import type { Failure, Result } from '../../base/result.ts';
import { messageOf } from '../../base/thrown.ts';
import type { Clock, NoteWriter, Random } from '../../ports.ts';
import { createGit } from './git-command.ts';
import { openIsoObjects } from './iso-objects.ts';
import { maintain } from './maintenance.ts';
import { writeNotes } from './note-commit.ts';
import { listNotes, readNote } from './note-read.ts';
import type { Note, NoteTarget } from './note-read.ts';
import { createObjectStore } from './object-store.ts';
import type { GitRepository } from './repository.ts';

const BATCH_MAX = 2000;
const WAITING_MAX = 100_000;
/** So many notes commits between two looks at the repository's size. */
const MAINTAIN_EVERY = 256;

export interface NoteStore extends NoteWriter {
  /** Null when the commit has no note. */
  read(commit: string): Promise<Note | null>;
  /** Every note on the ref, in no particular order: what `history` is rebuilt from. */
  list(): Promise<readonly Note[]>;
  /** Repacks an owned repository when it has grown many files, in turn with the notes. True when it did. */
  maintain(signal: AbortSignal): Promise<boolean>;
}

interface Waiting {
  readonly notes: readonly { readonly commit: string; readonly text: string }[];
  readonly settle: (result: Result<void>) => void;
}

export interface NoteWriterOptions {
  /** Spreads the retries of writers that meet. */
  readonly random?: Pick<Random, 'next'>;
}

const plainRandom = { next: () => Math.random() };

/** `write` fails with `note-conflict` (others were faster every time), `note-too-large`, `note-write-failed`. */
export function createNoteWriter(repository: GitRepository, options: NoteWriterOptions = {}): NoteStore {
  const random = options.random ?? plainRandom;
  const waiting: Waiting[] = [];
  let tail: Promise<unknown> = Promise.resolve();
  let batches = 0;

  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    const next = tail.then(work);
    tail = next.catch(() => undefined);
    return next;
  };

  const drain = async (): Promise<void> => {
    const batch = take(waiting);
    if (batch.length === 0) return;
    const result = await attempt(repository, random, batch);
    // One note that cannot be written must not hold back the others that were joined with it.
    const alone = !result.ok && result.error.code === 'note-too-large' && batch.length > 1;
    for (const entry of batch) entry.settle(alone ? await attempt(repository, random, [entry]) : result);
    batches += 1;
    if (batches % MAINTAIN_EVERY === 0) void queued(keepSmall);
  };

  const keepSmall = async (): Promise<void> => {
    await maintain(repository, repository.ended).catch((error: unknown) =>
      repository.log.warn('repacking the repository failed', { error: String(error) }),
    );
  };

  return {
    write: (notes) =>
      new Promise((resolve) => {
        if (waiting.length >= WAITING_MAX) resolve(err(notWritten('too many of them are waiting')));
        else {
          waiting.push({ notes, settle: resolve });
          void queued(drain);
        }
      }),
    read: async (commit) => await readNote(repository, commit),
    list: async () => await listNotes(repository),
    maintain: async (signal) => await queued(async () => await maintain(repository, signal)),
  };
}

/** Writes notes into a repository that is not ours, e.g. an app's source: opened for each write, and left alone between. */
export function noteWriterFor(gitDir: string, options: NoteWriterOptions = {}): NoteWriter {
  let tail: Promise<unknown> = Promise.resolve();
  const write = async (notes: Waiting['notes']): Promise<Result<void>> => {
    const git = createGit({ gitDir });
    const objects = createObjectStore(git, await openIsoObjects(gitDir));
    try {
      const waiting = { notes, settle: () => undefined };
      return await attempt({ git, objects, clock: plainClock }, options.random ?? plainRandom, [waiting]);
    } finally {
      objects.close();
    }
  };
  return {
    write: (notes) => {
      const next = tail.then(() => write(notes));
      tail = next.catch(() => undefined);
      return next;
    },
  };
}

const plainClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms) => await sleep(ms, true),
};

function take(waiting: Waiting[]): Waiting[] {
  const batch: Waiting[] = [];
  for (let size = 0; waiting.length > 0 && size < BATCH_MAX; size += batch.at(-1)?.notes.length ?? 1) {
    batch.push(waiting.shift() as Waiting);
  }
  return batch;
}

async function attempt(
  target: NoteTarget,
  random: Pick<Random, 'next'>,
  batch: readonly Waiting[],
): Promise<Result<void>> {
  // Of two texts for one commit the later one counts.
  const texts = new Map(
    batch.flatMap(({ notes }) => notes.map(({ commit, text }) => [commit, text] as const)),
  );
  try {
    return await writeNotes(target, () => random.next(), texts);
  } catch (error) {
    return err(notWritten(messageOf(error)));
  }
}

function notWritten(why: string): Failure {
  return failure('note-write-failed', `notes could not be written: ${why}`, { retry: { kind: 'backoff' } });
}
