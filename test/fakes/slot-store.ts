/**
 * The folders of each app as plain data. Each call changes them in the same small steps as the real store, and the
 * daemon may die between any two. Says `violated` where a step would pull a folder from under a running program.
 */
import { err, failure, ok, type Result } from '../../src/base/result.ts';
import type { JournalEntry, SlotLinks, SlotRecord } from '../../src/model/slot.ts';
import type { CheckoutRequest, SlotStore } from '../../src/ports.ts';
import type { Life } from '../simulation/life.ts';

export interface AppFolders {
  /** The record: what is live and what was. Null: never promoted, or removed. */
  record: SlotLinks | null;
  /** What the symlinks say. */
  symlinks: { live: string | null; previous: string | null };
  /** Slot folders that are there, with the commit that each holds; a half-made one holds null. */
  readonly slots: Map<string, string | null>;
  staging: boolean;
  journal: JournalEntry[];
}

export interface Folders {
  readonly apps: Map<string, AppFolders>;
  /** Makes the next checkout of an app fail once, with this message. */
  readonly failCheckout: Map<string, string>;
  /** `APP/SLOT` of folders in which somebody has changed something. */
  readonly damaged: Set<string>;
}

export interface SlotStoreParts {
  readonly folders: Folders;
  readonly life: Life;
  /** Slots of the app in which a program runs now. */
  readonly inUse: (app: string) => ReadonlySet<string>;
  readonly violated: (rule: string, what: string) => void;
}

const NOTHING: SlotLinks = { live: null, previous: null };

export function createFolders(): Folders {
  return { apps: new Map(), failCheckout: new Map(), damaged: new Set() };
}

/** One daemon's view of them. Work on folders goes one after another for each app, as in the real store. */
export function openSlotStore(parts: SlotStoreParts): SlotStore {
  const { folders, life } = parts;
  const turns = new Map<string, Promise<unknown>>();
  const inHand = new Map<string, Set<string>>();
  const app = (name: string): AppFolders => appFolders(folders, name);
  const links = (name: string): SlotLinks => folders.apps.get(name)?.record ?? NOTHING;
  const hand = (name: string): Set<string> => {
    const known = inHand.get(name) ?? new Set();
    inHand.set(name, known);
    return known;
  };
  function inTurn<T>(name: string, job: () => Promise<T>): Promise<T> {
    const mine = (turns.get(name) ?? Promise.resolve()).then(job, job);
    turns.set(name, mine);
    return mine;
  }
  /** Takes a slot's folder away, or makes it staging. */
  async function take(name: string, slot: string, why: string): Promise<void> {
    await life.step(`slots.${why} ${slot}`);
    if (!app(name).slots.has(slot)) return;
    if (parts.inUse(name).has(slot))
      parts.violated('folder-in-use', `${why} takes ${name}/${slot} from under a running program`);
    app(name).slots.delete(slot);
    app(name).staging = true;
  }
  async function settle(name: string, keep: ReadonlySet<string>, why: string): Promise<void> {
    for (const slot of Array.from(app(name).slots.keys())) if (!keep.has(slot)) await take(name, slot, why);
  }
  const linked = (name: string): Set<string> => {
    const { live, previous } = links(name);
    return new Set([live, previous].filter((record) => record !== null).map((record) => record.slot));
  };
  async function symlink(name: string): Promise<void> {
    await life.step('slots.symlink');
    const { live, previous } = links(name);
    app(name).symlinks = { live: live?.slot ?? null, previous: previous?.slot ?? null };
  }
  const held = { parts, app, linked, hand };
  return {
    async apps() {
      await life.step('slots.apps');
      return [...folders.apps]
        .filter(([, one]) => one.record !== null || one.slots.size > 0)
        .map(([name]) => name)
        .sort();
    },
    async links(name) {
      await life.step('slots.links');
      return links(name);
    },
    dir: (name, slot) => `/apps/${name}/${slot}`,
    stagingDir: (name) => `/apps/${name}/staging`,
    async intact(name, slot) {
      await life.step('slots.intact');
      return (
        typeof folders.apps.get(name)?.slots.get(slot) === 'string' && !folders.damaged.has(`${name}/${slot}`)
      );
    },
    checkout: (request, signal) => inTurn(request.app, () => checkOut(held, request, signal)),
    abandon: (name, slot) =>
      inTurn(name, async () => {
        hand(name).delete(slot);
        if (!linked(name).has(slot)) await take(name, slot, 'abandon');
      }),
    async promote(name, record) {
      await life.step('slots.promote');
      const { live, previous } = links(name);
      const now = { live: record, previous: live?.digest === record.digest ? previous : live };
      checkPromotion(parts, app(name), name, record);
      app(name).record = now;
      hand(name).delete(record.slot);
      await symlink(name);
      await life.step('slots.promote reply');
      return now;
    },
    tidy: (name) => inTurn(name, () => settle(name, new Set([...linked(name), ...hand(name)]), 'tidy')),
    recover: (name) =>
      inTurn(name, async () => {
        inHand.delete(name);
        await settle(name, linked(name), 'recover');
        await symlink(name);
      }),
    remove: (name) =>
      inTurn(name, async () => {
        inHand.delete(name);
        await life.step('slots.remove record');
        app(name).record = null;
        await symlink(name);
        await settle(name, new Set(), 'remove');
        app(name).staging = false;
      }),
    async journal(entry) {
      await life.step('slots.journal');
      app(entry.app).journal.push(entry);
      await life.step('slots.journal reply');
    },
    async readJournal(name, limit) {
      await life.step('slots.readJournal');
      return app(name).journal.slice(-limit).reverse();
    },
  };
}

interface Held {
  readonly parts: SlotStoreParts;
  readonly app: (name: string) => AppFolders;
  readonly linked: (name: string) => Set<string>;
  readonly hand: (name: string) => Set<string>;
}

async function checkOut(
  { parts, app, linked, hand }: Held,
  { app: name, slot, version }: CheckoutRequest,
  signal: AbortSignal,
): Promise<Result<string>> {
  const { life, folders } = parts;
  const aborted = err(failure('aborted', 'The checkout was cancelled.'));
  if (signal.aborted) return aborted;
  await life.step('slots.checkout');
  if (linked(name).has(slot)) return err(failure('slot-in-use', `the folder ${slot} is in use`));
  const problem = folders.failCheckout.get(name);
  if (problem !== undefined) {
    folders.failCheckout.delete(name);
    return err(failure('checkout-failed', problem, { retry: { kind: 'backoff' } }));
  }
  app(name).staging = true;
  await life.step('slots.checkout lay');
  if (signal.aborted) return aborted;
  if (app(name).slots.has(slot) && parts.inUse(name).has(slot))
    parts.violated('folder-in-use', `checkout replaces ${name}/${slot} under a running program`);
  app(name).slots.set(slot, version.commit);
  folders.damaged.delete(`${name}/${slot}`);
  app(name).staging = false;
  hand(name).add(slot);
  await life.step('slots.checkout reply');
  return ok(`/apps/${name}/${slot}`);
}

function checkPromotion(parts: SlotStoreParts, app: AppFolders, name: string, record: SlotRecord): void {
  if (app.slots.get(record.slot) === record.commit) return;
  parts.violated(
    'promoted-without-folder',
    `${name}/${record.slot} is promoted but does not hold ${record.commit}`,
  );
}

function appFolders(folders: Folders, name: string): AppFolders {
  const known = folders.apps.get(name);
  if (known !== undefined) return known;
  const made: AppFolders = {
    record: null,
    symlinks: { live: null, previous: null },
    slots: new Map(),
    staging: false,
    journal: [],
  };
  folders.apps.set(name, made);
  return made;
}
