/** Writes that a power cut cannot undo or tear once they have returned. Decides nothing about content. */
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Ends the names of files that a crash may leave behind; whoever owns the folder may delete those. */
export const TEMPORARY_SUFFIX = '.tmp';

/**
 * Replaces `path` with `text` in one step: readers see the old text or the new one. Resolves when it would survive a
 * power cut. `mode` defaults to 0600.
 */
export async function writeFileDurable(path: string, text: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = join(
    dirname(path),
    `.${basename(path)}.${randomBytes(6).toString('hex')}${TEMPORARY_SUFFIX}`,
  );
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes the names in a folder (creations, renames, removals) durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
