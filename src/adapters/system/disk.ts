/** Room left on the file system that holds a folder. */
import { statfs } from 'node:fs/promises';

export interface Room {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Null when it cannot be told. */
export async function roomAt(folder: string): Promise<Room | null> {
  try {
    const stats = await statfs(folder);
    return { freeBytes: stats.bavail * stats.bsize, totalBytes: stats.blocks * stats.bsize };
  } catch {
    return null;
  }
}
