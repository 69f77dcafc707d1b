/** The append-only list of what was tried, one JSON object a line. A line torn by a crash is skipped, never lost over. */
import { open, type FileHandle } from 'node:fs/promises';
import type { JournalEntry } from '../../model/slot.ts';
import type { AppFolder } from './app-folder.ts';
import type { Files } from './files.ts';

const CHUNK_BYTES = 64 * 1024;
/** So far back one question looks at most. */
const READ_MAX_BYTES = 16 * 1024 * 1024;

/** On disk when it resolves. */
export async function appendJournal(files: Files, folder: AppFolder, entry: JournalEntry): Promise<void> {
  await files.makeFolder(folder.path);
  const state = await endOf(folder.journal);
  await files.append(folder.journal, `${state === 'torn' ? '\n' : ''}${JSON.stringify(entry)}\n`);
  if (state === 'missing') await files.sync(folder.path);
}

/** Newest first, at most `limit`. */
export async function readJournal(folder: AppFolder, limit: number): Promise<readonly JournalEntry[]> {
  const file = await open(folder.journal, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (file === null) return [];
  try {
    return await readBackwards(file, limit);
  } finally {
    await file.close();
  }
}

async function readBackwards(file: FileHandle, limit: number): Promise<readonly JournalEntry[]> {
  const { size } = await file.stat();
  const entries: JournalEntry[] = [];
  let tail = Buffer.alloc(0);
  for (let end = size; end > 0 && entries.length < limit && size - end < READ_MAX_BYTES;) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const chunk = Buffer.alloc(end - start);
    await file.read(chunk, 0, chunk.length, start);
    tail = Buffer.concat([chunk, tail]);
    end = start;
    // Before the first line break lies the rest of a line whose beginning is still to be read.
    const whole = start === 0 ? 0 : tail.indexOf(10) + 1;
    if (start !== 0 && whole === 0) continue;
    const lines = tail.subarray(whole).toString('utf8').split('\n').toReversed();
    entries.push(...lines.map(parse).filter((entry) => entry !== null));
    tail = tail.subarray(0, whole);
  }
  return entries.slice(0, Math.max(limit, 0));
}

function parse(line: string): JournalEntry | null {
  if (line === '') return null;
  try {
    const value: unknown = JSON.parse(line);
    return isEntry(value) ? value : null;
  } catch {
    return null;
  }
}

function isEntry(value: unknown): value is JournalEntry {
  return typeof value === 'object' && value !== null && 'at' in value && 'slot' in value && 'result' in value;
}

async function endOf(path: string): Promise<'missing' | 'whole' | 'torn'> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return 'missing';
  try {
    const { size } = await file.stat();
    if (size === 0) return 'whole';
    const last = Buffer.alloc(1);
    await file.read(last, 0, 1, size - 1);
    return last[0] === 10 ? 'whole' : 'torn';
  } finally {
    await file.close();
  }
}
