/** The durable record of which slot is live and which was, and the two symlinks that follow it. */
import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { SlotLinks, SlotRecord } from '../../model/slot.ts';
import type { Random } from '../../ports.ts';
import { isSlotName, type AppFolder } from './app-folder.ts';
import type { Files } from './files.ts';

const NOTHING: SlotLinks = { live: null, previous: null };

/** Nothing when the app was never promoted. Throws when the file is there and is not ours: no guess is safe then. */
export async function readRecord(folder: AppFolder): Promise<SlotLinks> {
  const text = await readFile(folder.record, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return NOTHING;
  const parsed = parse(text);
  if (parsed !== null) return parsed;
  throw new Error(`${folder.record} is damaged: restore it, or remove it to deploy ${folder.app} anew`);
}

/** One atomic write. */
export async function writeRecord(files: Files, folder: AppFolder, links: SlotLinks): Promise<void> {
  await files.writeDurable(folder.record, `${JSON.stringify(links, null, 2)}\n`);
}

/** Makes `live` and `prev` say what the record says. They are for people: nothing of ours reads them. */
export async function repairLinks(
  files: Files,
  random: Random,
  folder: AppFolder,
  links: SlotLinks,
): Promise<void> {
  await pointTo(files, random, folder, { name: 'live', slot: links.live?.slot ?? null });
  await pointTo(files, random, folder, { name: 'prev', slot: links.previous?.slot ?? null });
}

async function pointTo(
  files: Files,
  random: Random,
  folder: AppFolder,
  link: { readonly name: string; readonly slot: string | null },
): Promise<void> {
  const path = join(folder.path, link.name);
  const now = await readlink(path).catch(() => null);
  if (now === link.slot) return;
  if (link.slot === null) return files.remove(path);
  const temporary = folder.scratch(random.hex(4));
  await files.link(link.slot, temporary);
  await files.rename(temporary, path);
}

function parse(text: string): SlotLinks | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    const { live, previous } = value as Readonly<Record<string, unknown>>;
    return isRecordOrNull(live) && isRecordOrNull(previous) ? { live, previous } : null;
  } catch {
    return null;
  }
}

function isRecordOrNull(value: unknown): value is SlotRecord | null {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  const { slot, commit, digest, promotedAt } = value as Readonly<Record<string, unknown>>;
  return (
    typeof slot === 'string' &&
    isSlotName(slot) &&
    typeof commit === 'string' &&
    typeof digest === 'string' &&
    typeof promotedAt === 'number'
  );
}
