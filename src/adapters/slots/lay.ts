/**
 * Lays a tree over staging and makes a slot of it. Staging counts only while its index lies beside it: the index is
 * taken away before the first file changes, so a checkout that was cut short is recognised and thrown away whole.
 */
import { lstat } from 'node:fs/promises';
import { err, failure, ok, type Result } from '../../base/result.ts';
import type { CheckoutRequest } from '../../ports.ts';
import { STAGING, type AppFolder } from './app-folder.ts';
import { formatFacts, readFacts } from './facts.ts';
import { linkSharedDirs, plainSharedDirs, unlinkSharedDirs } from './shared-dirs.ts';
import { checkTree, checkoutFailed } from './tree-check.ts';
import type { Workshop } from './workshop.ts';

/** Name of the index while a tree is being laid. */
const LAYING = 'slot-laying';

/**
 * The slot's folder. Failures: those of `checkTree` and `linkSharedDirs`; staging is untouched when the tree itself is
 * refused.
 */
export async function layTree(
  shop: Workshop,
  folder: AppFolder,
  request: CheckoutRequest,
  signal: AbortSignal,
): Promise<Result<string>> {
  const shared = plainSharedDirs(request.sharedDirs);
  if (!shared.ok) return shared;
  const checked = await checkTree(shop.git, request.version, signal);
  if (!checked.ok) return checked;
  if (signal.aborted) return err(failure('aborted', 'The checkout was cancelled.'));

  await shop.files.makeFolder(folder.indexes);
  // A slot of that name that is neither live nor previous is what a former attempt left.
  await forgetSlot(shop, folder, request.slot);
  await openStaging(shop, folder, signal);

  const laid = await shop.git({
    args: ['read-tree', '--reset', '-u', request.version.tree],
    source: request.version.gitDir,
    oid: request.version.tree,
    index: folder.index(LAYING),
    workTree: folder.slot(STAGING),
    signal,
  });
  if (laid.end !== 0) return err(checkoutFailed(request.version, laid));
  const linked = await linkSharedDirs({ ...shop, folder, signal }, folder.slot(STAGING), shared.value);
  if (!linked.ok) return linked;

  const { tree, gitDir } = request.version;
  const facts = formatFacts({ tree, gitDir, sharedDirs: shared.value, altered: null });
  await shop.files.write(folder.facts(request.slot), facts);
  await shop.files.rename(folder.index(LAYING), folder.index(request.slot));
  await shop.files.rename(folder.slot(STAGING), folder.slot(request.slot));
  return ok(folder.slot(request.slot));
}

/** Takes the index away from staging, or starts an empty staging when there is none that counts. */
async function openStaging(shop: Workshop, folder: AppFolder, signal: AbortSignal): Promise<void> {
  await shop.files.remove(`${folder.index(LAYING)}.lock`);
  if (await stagingCounts(folder)) {
    const facts = await readFacts(folder, STAGING);
    await shop.files.rename(folder.index(STAGING), folder.index(LAYING));
    await unlinkSharedDirs({ ...shop, folder, signal }, folder.slot(STAGING), facts?.sharedDirs ?? []);
    return;
  }
  await shop.files.remove(folder.index(LAYING));
  await forgetSlot(shop, folder, STAGING);
  await shop.files.makeFolder(folder.slot(STAGING));
}

/** True when staging is a folder whose content its index describes. */
export async function stagingCounts(folder: AppFolder): Promise<boolean> {
  const [dir, index] = await Promise.all([
    lstat(folder.slot(STAGING)).catch(() => null),
    lstat(folder.index(STAGING)).catch(() => null),
  ]);
  return dir?.isDirectory() === true && index !== null;
}

/** The slot becomes staging, artefacts and all; what staging was goes. Nothing happens when there is no such slot. */
export async function turnIntoStaging(shop: Workshop, folder: AppFolder, slot: string): Promise<void> {
  if ((await lstat(folder.slot(slot)).catch(() => null)) === null) return;
  await forgetSlot(shop, folder, STAGING);
  await shop.files.rename(folder.slot(slot), folder.slot(STAGING));
  if ((await readFacts(folder, slot)) === null) return;
  await shop.files.rename(folder.facts(slot), folder.facts(STAGING));
  // Last: from here on staging counts.
  const index = await lstat(folder.index(slot)).catch(() => null);
  if (index !== null) await shop.files.rename(folder.index(slot), folder.index(STAGING));
}

/** Removes a slot's folder and what we know about it. The index goes first: without it no folder counts. */
export async function forgetSlot(shop: Workshop, folder: AppFolder, slot: string): Promise<void> {
  await shop.files.remove(folder.index(slot));
  await shop.files.remove(folder.facts(slot));
  await shop.files.remove(folder.slot(slot));
}
