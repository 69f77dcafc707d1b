/** What we keep about a slot beside its git index: which tree it holds, which folders are links, what its setup changed. */
import { readFile } from 'node:fs/promises';
import type { AppFolder } from './app-folder.ts';

export interface SlotFacts {
  readonly tree: string;
  readonly gitDir: string;
  readonly sharedDirs: readonly string[];
  /** Tracked files that differed from the tree when the slot was promoted, each with its mark then; null: not yet. */
  readonly altered: Readonly<Record<string, string>> | null;
}

/** Null when there are none, or none that can be read: the slot then counts as not intact. */
export async function readFacts(folder: AppFolder, slot: string): Promise<SlotFacts | null> {
  try {
    const value: unknown = JSON.parse(await readFile(folder.facts(slot), 'utf8'));
    // Written by us alone, whole or not at all as far as a later check of the index can tell.
    return isFacts(value) ? value : null;
  } catch {
    return null;
  }
}

/** The text that `readFacts` reads. */
export function formatFacts(facts: SlotFacts): string {
  return `${JSON.stringify(facts)}\n`;
}

function isFacts(value: unknown): value is SlotFacts {
  if (typeof value !== 'object' || value === null) return false;
  const { tree, gitDir, sharedDirs, altered } = value as Readonly<Record<string, unknown>>;
  return (
    typeof tree === 'string' &&
    typeof gitDir === 'string' &&
    Array.isArray(sharedDirs) &&
    (altered === null || typeof altered === 'object')
  );
}
