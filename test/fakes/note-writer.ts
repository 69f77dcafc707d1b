/** The notes ref as plain data. May refuse, or die with the note on the ref and the daemon not knowing. */
import { err, failure, ok } from '../../src/base/result.ts';
import type { IntentNotes } from '../../src/ports.ts';
import type { Life } from '../simulation/life.ts';

export interface Notes {
  readonly texts: Map<string, string>;
  /** How many of the next writes fail. */
  failing: number;
}

export function createNotes(): Notes {
  return { texts: new Map(), failing: 0 };
}

/** One daemon's view of it. */
export function openNotes(notes: Notes, life: Life): IntentNotes {
  return {
    async write(batch) {
      await life.step('notes.write');
      if (notes.failing > 0) {
        notes.failing -= 1;
        return err(failure('note-failed', 'the notes ref is locked', { retry: { kind: 'backoff' } }));
      }
      for (const { commit, text } of batch) notes.texts.set(commit, text);
      await life.step('notes.write reply');
      return ok();
    },
    async list() {
      await life.step('notes.list');
      return [...notes.texts].map(([commit, ours]) => ({ commit, ours }));
    },
  };
}
