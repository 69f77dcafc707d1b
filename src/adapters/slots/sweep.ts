/** Removes what no slot needs any more, and lays staging anew. Which slots are needed is the caller's to say. */
import { copyFile, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SlotLinks } from '../../model/slot.ts';
import { TEMPORARY_SUFFIX } from '../system/durable-file.ts';
import { isSlotName, SETUP_LOG_SUFFIX, STAGING, type AppFolder } from './app-folder.ts';
import { formatFacts, readFacts, type SlotFacts } from './facts.ts';
import { forgetSlot, stagingCounts, turnIntoStaging } from './lay.ts';
import type { Workshop } from './workshop.ts';

/** Index of a copy of live that is not staging yet. */
const COPYING = 'slot-copying';
const SETUP_LOGS_MAX = 20;

/** The slots that are there, without staging. */
export async function slotsOn(folder: AppFolder): Promise<readonly string[]> {
  const entries = await readdir(folder.path, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && isSlotName(entry.name) && entry.name !== STAGING)
    .map((entry) => entry.name)
    .toSorted();
}

/** Removes every slot that `keep` does not name. */
export async function sweepSlots(
  shop: Workshop,
  folder: AppFolder,
  keep: ReadonlySet<string>,
): Promise<void> {
  for (const slot of await slotsOn(folder)) if (!keep.has(slot)) await forgetSlot(shop, folder, slot);
}

/** What a crash can leave beside the slots: scratch names, half-written files, indexes without a folder. */
export async function sweepLeavings(shop: Workshop, folder: AppFolder): Promise<void> {
  for (const name of await readdir(folder.path).catch(() => [])) {
    if (name.startsWith('.scratch-') || name.endsWith(TEMPORARY_SUFFIX))
      await shop.files.remove(join(folder.path, name));
  }
  const slots = new Set([STAGING, ...(await slotsOn(folder))]);
  for (const name of await readdir(folder.indexes).catch(() => [])) {
    const slot = name.replace(/\.json$/, '');
    const needed =
      isSlotName(slot) && slots.has(slot) && (await lstat(folder.slot(slot)).catch(() => null)) !== null;
    if (!needed) await shop.files.remove(join(folder.indexes, name));
  }
}

/** Each commit leaves the output of its setup; those of the last attempts are enough to look at. */
export async function sweepLogs(shop: Workshop, folder: AppFolder): Promise<void> {
  const names = await readdir(folder.logs).catch(() => []);
  const logs = names.filter((name) => name.endsWith(SETUP_LOG_SUFFIX)).map((name) => join(folder.logs, name));
  if (logs.length <= SETUP_LOGS_MAX) return;
  const aged = await Promise.all(
    logs.map(async (path) => ({ path, at: (await lstat(path).catch(() => null))?.mtimeMs ?? 0 })),
  );
  const old = aged.toSorted((a, b) => b.at - a.at).slice(SETUP_LOGS_MAX);
  for (const { path } of old) await shop.files.remove(path);
}

/** After a crash: a slot that never became live is staging when there is none, or goes; a torn staging goes. */
export async function settleSlots(shop: Workshop, folder: AppFolder, links: SlotLinks): Promise<void> {
  const keep = new Set([links.live?.slot, links.previous?.slot]);
  if (!(await stagingCounts(folder))) {
    await forgetSlot(shop, folder, STAGING);
    for (const slot of await slotsOn(folder)) {
      if (keep.has(slot) || (await stagingCounts(folder))) continue;
      const whole = (await lstat(folder.index(slot)).catch(() => null)) !== null;
      if (whole) await turnIntoStaging(shop, folder, slot);
    }
  }
  await sweepSlots(shop, folder, new Set([...keep].filter((slot) => slot !== undefined)));
}

/**
 * Copies live to staging when there is no staging that counts, so that the next setup finds what the last one built.
 * Cut short by the signal, it leaves no staging, and the next checkout starts empty.
 */
export async function layStaging(
  shop: Workshop,
  folder: AppFolder,
  live: string,
  signal: AbortSignal,
): Promise<void> {
  const facts = await readFacts(folder, live);
  if (facts === null || signal.aborted || (await stagingCounts(folder))) return;
  await forgetSlot(shop, folder, STAGING);
  const copy = folder.scratch(shop.random.hex(4));
  const copied = await shop.files.copyTree(folder.slot(live), copy, signal);
  const indexed =
    copied &&
    (await copyIndex(shop, facts, { from: folder.index(live), to: folder.index(COPYING), workTree: copy }));
  if (!indexed) return shop.files.remove(copy);
  await shop.files.rename(copy, folder.slot(STAGING));
  await shop.files.write(folder.facts(STAGING), formatFacts({ ...facts, altered: null }));
  await shop.files.rename(folder.index(COPYING), folder.index(STAGING));
}

/** The live slot's index, taught the copies' own times where their content is still what was checked out. */
async function copyIndex(
  shop: Workshop,
  facts: SlotFacts,
  { from, to, workTree }: { readonly from: string; readonly to: string; readonly workTree: string },
): Promise<boolean> {
  await shop.files.remove(`${to}.lock`);
  const copied = await copyFile(from, to).catch(() => 'missing');
  if (copied === 'missing') return false;
  const refreshed = await shop.git({
    args: ['update-index', '-q', '--refresh'],
    source: facts.gitDir,
    oid: facts.tree,
    index: to,
    workTree,
  });
  // 1 says that some files differ; the next checkout writes those again.
  return refreshed.end === 0 || refreshed.end === 1;
}
