/** Makes a slot live, and undoes everything else: abandon, tidy, recover, remove. Each call has its app's turn. */
import type { SlotLinks, SlotRecord } from '../../model/slot.ts';
import { STAGING, type AppFolder } from './app-folder.ts';
import { alteredFiles } from './drift.ts';
import { formatFacts, readFacts } from './facts.ts';
import { forgetSlot, turnIntoStaging } from './lay.ts';
import { readRecord, repairLinks, writeRecord } from './record.ts';
import { layStaging, settleSlots, slotsOn, sweepLeavings, sweepLogs, sweepSlots } from './sweep.ts';
import type { Workshop } from './workshop.ts';

/** Durable when it resolves. What setup changed in tracked files counts as part of the slot from here on. */
export async function promote(shop: Workshop, app: string, record: SlotRecord): Promise<SlotLinks> {
  const folder = shop.folderOf(app);
  const before = await readRecord(folder);
  await settle(shop, folder, record.slot);
  // The same version laid anew takes the place of what was live; what was there before that version stays the previous one.
  const previous = before.live?.digest === record.digest ? before.previous : before.live;
  const links = { live: record, previous };
  await writeRecord(shop.files, folder, links);
  shop.inHand.get(app)?.delete(record.slot);
  // The record has decided; links that cannot be made now are repaired at the next start.
  await repairLinks(shop.files, shop.random, folder, links).catch((error: unknown) =>
    shop.log.warn('slot links could not be changed', { app, reason: String(error) }),
  );
  return links;
}

/**
 * Before its first promotion a slot's files go to disk, and what its setup made of tracked files is written down: a
 * promotion that outlives a power cut must not point to files that did not.
 */
async function settle(shop: Workshop, folder: AppFolder, slot: string): Promise<void> {
  const facts = await readFacts(folder, slot);
  if (facts === null || facts.altered !== null) return;
  const [altered] = await Promise.all([
    alteredFiles(shop.git, folder, slot),
    shop.files.syncTree(folder.slot(slot)),
  ]);
  await shop.files.writeDurable(folder.facts(slot), formatFacts({ ...facts, altered }));
}

/** A slot that is live or previous stays what it is. */
export async function abandon(shop: Workshop, app: string, slot: string): Promise<void> {
  shop.inHand.get(app)?.delete(slot);
  const { live, previous } = await readRecord(shop.folderOf(app));
  if (slot !== live?.slot && slot !== previous?.slot) await turnIntoStaging(shop, shop.folderOf(app), slot);
}

/** Slots in hand stay; a checkout that waits may cut the copy of live short. */
export async function tidy(shop: Workshop, app: string): Promise<void> {
  const folder = shop.folderOf(app);
  const keep = new Set(shop.inHand.get(app));
  const links = await readRecord(folder);
  for (const kept of [links.live, links.previous]) if (kept !== null) keep.add(kept.slot);
  await sweepSlots(shop, folder, keep);
  await sweepLogs(shop, folder);
  if (links.live === null) return;
  const copy = new AbortController();
  shop.copies.set(app, copy);
  try {
    await layStaging(shop, folder, links.live.slot, copy.signal);
  } finally {
    shop.copies.delete(app);
  }
}

/** To be called when no program runs in a slot that is neither live nor previous: its folder may be renamed. */
export async function recover(shop: Workshop, app: string): Promise<void> {
  const folder = shop.folderOf(app);
  shop.inHand.delete(app);
  const links = await readRecord(folder);
  await settleSlots(shop, folder, links);
  await sweepLeavings(shop, folder);
  await repairLinks(shop.files, shop.random, folder, links);
}

/** The record goes first: without it nothing is live, and a crash from there on leaves only leavings. */
export async function remove(shop: Workshop, app: string): Promise<void> {
  const folder = shop.folderOf(app);
  shop.inHand.delete(app);
  await shop.files.remove(folder.record);
  await repairLinks(shop.files, shop.random, folder, { live: null, previous: null });
  for (const slot of [...(await slotsOn(folder)), STAGING]) await forgetSlot(shop, folder, slot);
  await shop.files.remove(folder.indexes);
}
