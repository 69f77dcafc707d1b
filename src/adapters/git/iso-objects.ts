/**
 * Reads single objects in this process with isomorphic-git. Knows when not to: formats that it cannot read, and packs
 * that it would have to hold in memory whole. Stock git reads at the same time, and may repack meanwhile, so a read
 * that fails is tried again with fresh caches and then left to stock git (null).
 */
import fs from 'node:fs';
import { access, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** isomorphic-git keeps every pack that it touches in memory, about twice. */
const PACKS_MAX_BYTES = 32 * 1024 * 1024;
const RETRY_MS = [10, 50, 200];

export interface IsoObject {
  readonly type: 'commit' | 'tree' | 'blob' | 'tag';
  readonly bytes: Uint8Array;
}

export interface IsoObjects {
  /** Null: not readable here (stock git has the last word, also on whether the object exists). */
  read(oid: string): Promise<IsoObject | null>;
}

/** `gitDir` is the one that holds `objects/`. */
export async function openIsoObjects(gitDir: string): Promise<IsoObjects> {
  const readable = await isReadable(gitDir);
  let cache: object = {};
  let listing = '';
  let small = false;

  const refresh = async (): Promise<void> => {
    const now = await packListing(gitDir);
    if (now.listing === listing) return;
    // Packs that a repack removed would stay in an old cache for ever.
    listing = now.listing;
    cache = {};
    small = now.bytes <= PACKS_MAX_BYTES;
  };

  return {
    read: async (oid) => {
      if (!readable) return null;
      // Imported when first needed: a process that only asks stock git never pays for it.
      const git = await import('isomorphic-git');
      for (const waitMs of RETRY_MS) {
        try {
          await refresh();
          if (!small) return null;
          const found = await git.readObject({ fs, gitdir: gitDir, oid, format: 'content', cache });
          const object = asObject(found.type, found.object);
          if (object !== null) return object;
        } catch (error) {
          if (error instanceof git.Errors.NotFoundError && waitMs > RETRY_MS[0]!) return null;
        }
        cache = {};
        listing = '';
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
      return null;
    },
  };
}

function asObject(type: string, bytes: unknown): IsoObject | null {
  if (!(bytes instanceof Uint8Array)) return null;
  if (type !== 'commit' && type !== 'tree' && type !== 'blob' && type !== 'tag') return null;
  return { type, bytes };
}

/** isomorphic-git knows nothing of alternates, SHA-256, linked worktrees and partial clones. */
async function isReadable(gitDir: string): Promise<boolean> {
  if (await exists(path.join(gitDir, 'objects', 'info', 'alternates'))) return false;
  if (await exists(path.join(gitDir, 'commondir'))) return false;
  const config = await readFile(path.join(gitDir, 'config'), 'utf8').catch(() => '');
  return !/^\s*\[extensions\]/im.test(config);
}

async function packListing(gitDir: string): Promise<{ listing: string; bytes: number }> {
  const dir = path.join(gitDir, 'objects', 'pack');
  const names = (await readdir(dir).catch(() => [])).filter((name) => name.endsWith('.pack')).toSorted();
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(path.join(dir, name)).catch(() => null))?.size ?? 0),
  );
  return { listing: `packs ${names.join(' ')}`, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
