/** Room left on the file system that holds a folder. */
import { statfs } from 'node:fs/promises';
import type { DiskRoom } from '../../ports.ts';

/** Null when it cannot be told. */
export async function roomAt(folder: string): Promise<DiskRoom | null> {
  try {
    const stats = await statfs(folder);
    return { freeBytes: stats.bavail * stats.bsize, totalBytes: stats.blocks * stats.bsize };
  } catch {
    return null;
  }
}
