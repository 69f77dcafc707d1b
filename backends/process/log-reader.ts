/**
 * Reads an instance's log: the last lines, the whole current file, and what comes. Both outputs of an instance share one
 * file, in the order in which they were written; which of the two a line came from is not kept.
 */
import { open } from 'node:fs/promises';
import type { Clock, LogLine, LogQuery } from '../../src/ports.ts';
import { createLineCutter } from './lines.ts';
import type { LineCutter } from './lines.ts';
import { sizeOf } from './log-file.ts';
import type { LogFolder } from './log-file.ts';

export interface LogSource {
  readonly id: string;
  readonly folder: LogFolder;
  readonly clock: Clock;
  /** False when nothing more will be written: following ends then. */
  readonly goesOn: () => boolean;
}

interface Chunk {
  readonly lines: readonly string[];
  /** Where the next chunk begins. */
  readonly next: number;
}

const CHUNK_BYTES = 65_536;
/** However many lines are asked for, a tail reads no more than this from the end of a file. */
const MAX_TAIL_BYTES = 4 * 1024 * 1024;
const FOLLOW_MS = 100;

/** Ends at the end of the file; when following, once the instance has ended, or on abort. A missing log is empty. */
export async function* readLog(
  source: LogSource,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<LogLine, void, undefined> {
  const { folder, id, clock } = source;
  const file = folder.path(id);
  const cutter = createLineCutter();
  let turn = folder.rotations(id);
  let at = 0;
  if (query.tail !== undefined) {
    const start = await findTail(file, query.tail);
    if (start.missing > 0) yield* (await tail(`${file}.1`, start.missing)).map(asLine);
    at = start.at;
  }
  for (;;) {
    // Asked before reading: what was written before the end is then still read.
    const last = query.follow !== true || !source.goesOn();
    if (folder.rotations(id) !== turn) {
      // What had not been read when the file was cut back is in its copy, at the same place.
      turn = folder.rotations(id);
      for await (const chunk of readFrom(`${file}.1`, at, cutter)) yield* chunk.lines.map(asLine);
      at = 0;
    } else if (((await sizeOf(file)) ?? 0) < at) {
      at = 0;
    }
    for await (const chunk of readFrom(file, at, cutter)) {
      at = chunk.next;
      yield* chunk.lines.map(asLine);
      if (signal.aborted) return;
    }
    if (last) break;
    if (!(await clock.sleep(FOLLOW_MS, signal))) return;
  }
  const rest = cutter.end();
  if (rest !== null) yield asLine(rest);
}

/** The last `count` lines of a file; none when it is not there. */
export async function tail(file: string, count: number): Promise<readonly string[]> {
  const { at } = await findTail(file, count);
  const cutter = createLineCutter();
  const lines: string[] = [];
  for await (const chunk of readFrom(file, at, cutter)) lines.push(...chunk.lines);
  const rest = cutter.end();
  if (rest !== null) lines.push(rest);
  return count <= 0 ? [] : lines.slice(-count);
}

/** Where the last `count` lines begin, and how many fewer than that the file holds. */
async function findTail(file: string, count: number): Promise<{ at: number; missing: number }> {
  const size = (await sizeOf(file)) ?? 0;
  if (count <= 0) return { at: size, missing: 0 };
  if (size === 0) return { at: 0, missing: count };
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    const floor = Math.max(0, size - MAX_TAIL_BYTES);
    let ends = 0;
    for (let stop = size; stop > floor;) {
      const start = Math.max(floor, stop - CHUNK_BYTES);
      const { bytesRead } = await handle.read(buffer, 0, stop - start, start);
      for (let i = bytesRead - 1; i >= 0; i--) {
        // The line end that closes the file does not begin another line.
        if (buffer[i] !== 0x0a || start + i === size - 1) continue;
        if (++ends === count) return { at: start + i + 1, missing: 0 };
      }
      stop = start;
    }
    return { at: floor, missing: floor === 0 ? count - ends - 1 : 0 };
  } finally {
    await handle.close();
  }
}

/** From `at` to the end that the file has now. */
async function* readFrom(file: string, at: number, cutter: LineCutter): AsyncGenerator<Chunk> {
  const size = (await sizeOf(file)) ?? 0;
  if (size <= at) return;
  const handle = await open(file, 'r');
  try {
    for (let next = at; next < size;) {
      const buffer = Buffer.alloc(Math.min(CHUNK_BYTES, size - next));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, next);
      if (bytesRead === 0) return;
      next += bytesRead;
      yield { lines: cutter.push(buffer.subarray(0, bytesRead)), next };
    }
  } finally {
    await handle.close();
  }
}

function asLine(text: string): LogLine {
  return { at: null, stream: 'stdout', text };
}
