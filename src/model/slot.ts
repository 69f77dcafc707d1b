/** Slots: the folders that an app's versions live in, and the journal of what was tried. */
import { short } from './ids.ts';

export interface SlotRecord {
  /** Folder name, e.g. `slot-1a2b3c4d`. */
  readonly slot: string;
  /** Commit of the app's source. */
  readonly commit: string;
  /** Digest of everything that needs a new slot when it changes (see plan/desired). */
  readonly digest: string;
  readonly promotedAt: number;
}

export interface SlotLinks {
  readonly live: SlotRecord | null;
  readonly previous: SlotRecord | null;
}

/** `slot-` and the commit's first eight characters; with a counter when that folder is in use (same commit again). */
export function slotName(commit: string, taken: readonly string[]): string {
  const base = `slot-${short(commit)}`;
  if (!taken.includes(base)) return base;
  for (let n = 2; ; n++) if (!taken.includes(`${base}-${n}`)) return `${base}-${n}`;
}

/** What the checks of a version's health came to. */
export interface HealthReport {
  readonly attempts: number;
  /** What the last one was answered. */
  readonly last: string;
}

/** One attempt to change what is live, whatever came of it. */
export interface JournalEntry {
  readonly at: string;
  readonly app: string;
  readonly do: 'deploy' | 'rollback' | 'restart' | 'stop';
  readonly slot: string;
  readonly commit: string;
  readonly previous_commit: string | null;
  /** The intent commit that asked for it; null when the world did (a crash). */
  readonly intent: string | null;
  /** What brought it about: a push, the API, a followed branch, a crash, the loop after a restart. */
  readonly trigger: 'push' | 'api' | 'source' | 'crash' | 'reconcile';
  readonly result: 'promoted' | 'failed' | 'superseded' | 'restarted' | 'stopped' | 'interrupted';
  readonly reason: string | null;
  readonly took_ms: number;
  readonly health?: HealthReport;
}
