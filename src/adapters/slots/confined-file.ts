/** Opens a file only when it really lies where it may: links are followed first, and what was opened is what is read. */
import { constants } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';

export type ConfinedRead =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | {
      readonly kind: 'missing' | 'outside' | 'not-a-file' | 'too-large' | 'unreadable';
      readonly path: string;
    };

/** `roots` null: anywhere. A relative `path` starts at `base`. Never rejects. */
export async function readConfined(
  path: string,
  base: string,
  roots: readonly string[] | null,
  maxBytes: number,
): Promise<ConfinedRead> {
  const wanted = resolve(base, path);
  try {
    const real = await realpath(wanted);
    if (roots !== null && !(await liesIn(real, roots))) return { kind: 'outside', path: wanted };
    // Without O_NONBLOCK a pipe laid there would hold us until somebody writes to it.
    const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await readWhole(file, wanted, maxBytes);
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { kind: code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreadable', path: wanted };
  }
}

async function readWhole(file: FileHandle, path: string, maxBytes: number): Promise<ConfinedRead> {
  const found = await file.stat();
  if (!found.isFile()) return { kind: 'not-a-file', path };
  if (found.size > maxBytes) return { kind: 'too-large', path };
  const bytes = Buffer.alloc(maxBytes + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length);
    length += bytesRead;
    if (length > maxBytes) return { kind: 'too-large', path };
    if (bytesRead === 0) return { kind: 'read', bytes: bytes.subarray(0, length) };
  }
}

async function liesIn(real: string, roots: readonly string[]): Promise<boolean> {
  for (const root of roots) {
    const inside = relative(await realpath(root).catch(() => root), real);
    if (inside !== '' && !inside.startsWith('..') && !isAbsolute(inside)) return true;
  }
  return false;
}
