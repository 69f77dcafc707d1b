/** Where the things of one app lie under the data folder. Names only; touches nothing. */
import { join } from 'node:path';

export const STAGING = 'slot-staging';
export const SETUP_LOG_SUFFIX = '.setup.log';

export interface AppFolder {
  readonly app: string;
  readonly path: string;
  /** The record: what is live and what was. */
  readonly record: string;
  readonly journal: string;
  /** Persistent folders that slots link to. */
  readonly shared: string;
  /** Private git indexes and facts about each slot, outside the slots so that programs do not see them. */
  readonly indexes: string;
  /** Output of setup commands, one file a slot. */
  readonly logs: string;
  setupLog(slot: string): string;
  slot(name: string): string;
  index(slot: string): string;
  facts(slot: string): string;
  /** A name that no slot has; whatever carries it may be removed after a crash. */
  scratch(id: string): string;
}

/** Throws on a name that could lead elsewhere: intent was checked long before, so that would be a bug. */
export function appFolder(dataDir: string, app: string): AppFolder {
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(app)) throw new Error(`not an app's name: ${JSON.stringify(app)}`);
  const path = join(dataDir, 'apps', app);
  const indexes = join(path, '.index');
  return {
    app,
    path,
    record: join(path, 'slots.json'),
    journal: join(path, 'journal.ndjson'),
    shared: join(path, 'shared'),
    indexes,
    logs: join(path, 'logs'),
    setupLog: (slot) => join(path, 'logs', `${checked(slot)}${SETUP_LOG_SUFFIX}`),
    slot: (name) => join(path, checked(name)),
    index: (slot) => join(indexes, checked(slot)),
    facts: (slot) => join(indexes, `${checked(slot)}.json`),
    scratch: (id) => join(path, `.scratch-${id}`),
  };
}

/** True for the folders that hold versions (staging among them). */
export function isSlotName(name: string): boolean {
  return /^slot-[a-z0-9-]{1,80}$/.test(name);
}

function checked(slot: string): string {
  if (!isSlotName(slot)) throw new Error(`not a slot's name: ${JSON.stringify(slot)}`);
  return slot;
}
