/**
 * The folders of each app, by the rules of the SlotStore port. The record decides; folders, indexes and links follow
 * it. Work on folders goes one after another for each app; promotions never wait behind a copy.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { err, failure, type Result } from '../../base/result.ts';
import type { CheckoutRequest, Clock, Log, ProcessTable, Random, SlotStore } from '../../ports.ts';
import { createProcessTable } from '../system/process-table.ts';
import { appFolder, isSlotName, STAGING } from './app-folder.ts';
import { isIntact } from './drift.ts';
import { createDiskFiles, type Files } from './files.ts';
import { appendJournal, readJournal } from './journal.ts';
import { layTree } from './lay.ts';
import { abandon, promote, recover, remove, tidy } from './promotion.ts';
import { endMarked } from './process-group.ts';
import { readRecord } from './record.ts';
import { createSlotGit } from './slot-git.ts';
import { createTurns, type Turns } from '../system/turns.ts';
import type { Workshop } from './workshop.ts';

export interface SlotStoreOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How long a checkout waits for a running copy of live before it cuts it short; default 3 s. */
  readonly takeOverMs?: number;
  /** Where programs that a killed daemon left at work in a slot are found; default: this machine's processes. */
  readonly processes?: ProcessTable;
  /** The disk; tests bring one that stops at a chosen operation. */
  readonly files?: Files;
}

/**
 * Failures of `checkout`: `checkout-failed` (backoff), `slot-unsafe-symlink`, `slot-submodule`, `slot-lfs-pointer`,
 * `shared-dir-invalid`, `slot-in-use`, `aborted`. Disk errors elsewhere reject.
 */
export function createSlotStore(options: SlotStoreOptions): SlotStore {
  const apps = join(options.dataDir, 'apps');
  const marker = { MAINSTAY_SLOTS_OF: options.dataDir };
  const shop: Workshop = {
    files: options.files ?? createDiskFiles(marker),
    git: createSlotGit(join(apps, '.checkout'), marker),
    clock: options.clock,
    random: options.random,
    log: options.log,
    folderOf: (app) => appFolder(options.dataDir, app),
    takeOverMs: options.takeOverMs ?? 3_000,
    inHand: new Map(),
    copies: new Map(),
  };
  const folders = createTurns();
  const records = createTurns();
  let leftAtWork: Promise<void> | null = null;
  const endLeftAtWork = (): Promise<void> => {
    const tools = { clock: options.clock, processes: options.processes ?? createProcessTable() };
    leftAtWork ??= endMarked(tools, `MAINSTAY_SLOTS_OF=${options.dataDir}`);
    return leftAtWork;
  };
  return {
    apps: () => appsIn(apps),
    links: (app) => readRecord(shop.folderOf(app)),
    dir: (app, slot) => shop.folderOf(app).slot(slot),
    stagingDir: (app) => shop.folderOf(app).slot(STAGING),
    intact: (app, slot) => isIntact(shop.git, shop.folderOf(app), slot),
    checkout: (request, signal) => checkout(shop, folders, request, signal),
    abandon: (app, slot) => folders.take(app, () => abandon(shop, app, slot)),
    promote: (app, record) => records.take(app, () => promote(shop, app, record)),
    tidy: (app) => folders.take(app, () => tidy(shop, app)),
    recover: async (app) => {
      // A git or cp of a killed daemon would go on writing into what is being put in order.
      await endLeftAtWork();
      return folders.take(app, () => recover(shop, app));
    },
    remove: (app) => {
      shop.copies.get(app)?.abort();
      return folders.take(app, () => remove(shop, app));
    },
    journal: (entry) =>
      records.take(entry.app, () => appendJournal(shop.files, shop.folderOf(entry.app), entry)),
    readJournal: (app, limit) => readJournal(shop.folderOf(app), limit),
  };
}

async function checkout(
  shop: Workshop,
  folders: Turns,
  request: CheckoutRequest,
  signal: AbortSignal,
): Promise<Result<string>> {
  const begun = new AbortController();
  void shop.clock.sleep(shop.takeOverMs, begun.signal).then((passed) => {
    if (passed) shop.copies.get(request.app)?.abort();
  });
  const work = async (): Promise<Result<string>> => {
    begun.abort();
    const folder = shop.folderOf(request.app);
    const { live, previous } = await readRecord(folder);
    if ([live?.slot, previous?.slot, STAGING].includes(request.slot)) {
      const message = `The folder ${request.slot} is in use; a checkout needs a name of its own.`;
      return err(failure('slot-in-use', message, { details: { slot: request.slot } }));
    }
    const hand = shop.inHand.get(request.app) ?? new Set();
    shop.inHand.set(request.app, hand.add(request.slot));
    const laid = await layTree(shop, folder, request, signal);
    if (!laid.ok) hand.delete(request.slot);
    return laid;
  };
  const laid = await folders.takeUnless(request.app, work, signal);
  begun.abort();
  return laid === 'cancelled' ? err(failure('aborted', 'The checkout was cancelled.')) : laid;
}

/** Those that have a record or any slot; a journal alone is the memory of an app that is gone. */
async function appsIn(path: string): Promise<readonly string[]> {
  const apps: string[] = [];
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const names = await readdir(join(path, entry.name));
    if (names.some((name) => name === 'slots.json' || isSlotName(name))) apps.push(entry.name);
  }
  return apps.toSorted();
}
