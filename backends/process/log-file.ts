/**
 * The log files of instances: DATA/apps/<app>/logs/<slot>.<n>.log and its older copies `.1` … `.3`. The process itself
 * appends through a descriptor that it was given, so a log goes on while no daemon runs. That is why a full log is
 * copied and cut back to nothing instead of renamed.
 */
import { copyFile, mkdir, open, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseInstanceId } from '../../src/model/ids.ts';

export interface LogLimits {
  /** A log longer than this is rotated. */
  readonly maxBytes: number;
  /** How many older copies are kept. */
  readonly keep: number;
  /** How many instances' logs are kept for each app; the oldest go first. */
  readonly files: number;
}

export interface LogFolder {
  /** Absolute path of an instance's log, whether it is there or not. */
  path(id: string): string;
  /** Opens it for appending, and creates it. The caller closes it. */
  openForAppend(id: string): Promise<FileHandle>;
  /** Rotates the log when it is over its limit. True when it was. */
  rotate(id: string): Promise<boolean>;
  /** How often this log has been rotated since the daemon started: a reader that follows has to know. */
  rotations(id: string): number;
  /** Removes the logs of an app's oldest instances beyond the limit, but none of `inUse`. */
  prune(id: string, inUse: readonly string[]): Promise<void>;
}

export function createLogFolder(dataDir: string, limits: LogLimits): LogFolder {
  const turns = new Map<string, number>();

  function path(id: string): string {
    const parts = parseInstanceId(id);
    if (parts === null) throw new Error(`not an instance id: ${JSON.stringify(id)}`);
    return join(dataDir, 'apps', parts.app, 'logs', `${parts.slot}.${parts.n}.log`);
  }

  return {
    path,
    async openForAppend(id) {
      const file = path(id);
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      return open(file, 'a', 0o600);
    },
    async rotate(id) {
      const file = path(id);
      const size = await sizeOf(file);
      if (size === null || size <= limits.maxBytes) return false;
      await shiftCopies(file, limits.keep);
      if (limits.keep > 0) await copyWhole(file, `${file}.1`);
      await truncate(file, 0);
      turns.set(id, (turns.get(id) ?? 0) + 1);
      return true;
    },
    rotations: (id) => turns.get(id) ?? 0,
    async prune(id, inUse) {
      const folder = dirname(path(id));
      const kept = new Set(inUse.map(path));
      const logs: { readonly file: string; readonly at: number }[] = [];
      for (const name of (await readdir(folder)).filter((entry) => entry.endsWith('.log'))) {
        const file = join(folder, name);
        if (!kept.has(file)) logs.push({ file, at: (await stat(file)).mtimeMs });
      }
      const surplus = logs.toSorted((a, b) => b.at - a.at).slice(limits.files);
      for (const { file } of surplus) {
        await rm(file, { force: true });
        for (let n = 1; n <= limits.keep; n++) await rm(`${file}.${n}`, { force: true });
      }
    },
  };
}

/** Null when there is no such file. */
export async function sizeOf(file: string): Promise<number | null> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function shiftCopies(file: string, keep: number): Promise<void> {
  await rm(`${file}.${keep}`, { force: true });
  for (let n = keep - 1; n >= 1; n--) {
    if ((await sizeOf(`${file}.${n}`)) !== null) await rename(`${file}.${n}`, `${file}.${n + 1}`);
  }
}

/** Copies, then adds what was written during the copy, so that what is cut off afterwards is as little as can be. */
async function copyWhole(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const copied = (await sizeOf(to)) ?? 0;
  const source = await open(from, 'r');
  const target = await open(to, 'a');
  try {
    const late = Buffer.alloc(65_536);
    const { bytesRead } = await source.read(late, 0, late.length, copied);
    if (bytesRead > 0) await target.write(late, 0, bytesRead);
  } finally {
    await source.close();
    await target.close();
  }
}
