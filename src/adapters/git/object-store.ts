/**
 * Objects of one repository, from whichever reader is right: isomorphic-git for single trees, commits and small blobs,
 * stock git for sizes, bulk, and the quarantine of a push. Decides between them and bounds what is read.
 */
import type { BlobRead, CommitInfo, Quarantine, TreeEntry } from '../../ports.ts';
import { GitError, quarantineEnvironment } from './git-command.ts';
import type { Git } from './git-command.ts';
import type { IsoObjects } from './iso-objects.ts';
import { createQuarantineReaders } from './quarantine-readers.ts';
import { openObjectBatch } from './object-batch.ts';
import type { BatchObject, ObjectBatch } from './object-batch.ts';
import { OID, parseCommit, parseTree } from './object-format.ts';
import type { RawEntry } from './object-format.ts';

/** Up to so many blobs are read in process; more are one exchange with stock git. */
const FEW_BLOBS = 8;
/** Bytes asked of stock git in one exchange. */
const EXCHANGE_MAX_BYTES = 16 * 1024 * 1024;
const COMMIT_MAX_BYTES = 1024 * 1024;

export interface ObjectStore {
  /** Entries of one tree. Rejects when it is not there. */
  tree(oid: string, quarantine?: Quarantine): Promise<RawEntry[]>;
  /** Null when there is no such commit. */
  commit(oid: string, quarantine?: Quarantine): Promise<CommitInfo | null>;
  blobs(oids: readonly string[], maxBytes: number, quarantine?: Quarantine): Promise<Map<string, BlobRead>>;
  /** Every entry below a commit or tree, in git's order. */
  list(treeish: string, quarantine?: Quarantine): Promise<TreeEntry[]>;
  readonly batch: ObjectBatch;
  close(): void;
}

export function createObjectStore(git: Git, iso: IsoObjects): ObjectStore {
  const batch = openObjectBatch(git);
  const quarantined = createQuarantineReaders(git);

  const using = async <T>(
    quarantine: Quarantine | undefined,
    work: (batch: ObjectBatch) => Promise<T>,
  ): Promise<T> => (quarantine === undefined ? await work(batch) : await quarantined.lend(quarantine, work));

  const inProcess = async (oid: string, quarantine?: Quarantine): Promise<Uint8Array | null> =>
    quarantine === undefined ? ((await iso.read(oid))?.bytes ?? null) : null;

  return {
    batch,
    close: () => {
      batch.close();
      quarantined.close();
    },
    tree: async (oid, quarantine) => {
      const bytes =
        (await inProcess(oid, quarantine)) ??
        (await using(quarantine, async (reader) => (await reader.contents([oid]))[0]?.bytes));
      if (bytes === undefined) throw new GitError(`tree ${oid} is missing`, null, '');
      return parseTree(bytes);
    },
    commit: async (oid, quarantine) => {
      if (!OID.test(oid)) return null;
      const found = quarantine === undefined ? await iso.read(oid) : null;
      if (found !== null) return found.type === 'commit' ? parseCommit(oid, found.bytes) : null;
      return await using(quarantine, async (reader) => {
        const [head] = await reader.heads([oid]);
        if (head?.type !== 'commit' || head.size > COMMIT_MAX_BYTES) return null;
        const [object] = await reader.contents([oid]);
        return object ? parseCommit(oid, object.bytes) : null;
      });
    },
    blobs: async (oids, maxBytes, quarantine) =>
      await using(
        quarantine,
        async (reader) =>
          await readBlobs(reader, { oids, maxBytes, inProcess: (oid) => inProcess(oid, quarantine) }),
      ),
    list: async (treeish, quarantine) => {
      const args = ['ls-tree', '-r', '-z', '--full-tree', '--end-of-options', treeish];
      return parseListing(await git.must(args, { env: quarantineEnvironment(quarantine) }));
    },
  };
}

interface BlobRequest {
  readonly oids: readonly string[];
  readonly maxBytes: number;
  readonly inProcess: (oid: string) => Promise<Uint8Array | null>;
}

async function readBlobs(batch: ObjectBatch, request: BlobRequest): Promise<Map<string, BlobRead>> {
  const unique = [...new Set(request.oids)];
  const blobs = new Map<string, BlobRead>();
  // Sizes first: a small object in the repository may be a very large one when unpacked.
  const heads = await batch.heads(unique);
  const wanted: { oid: string; size: number }[] = [];
  for (const [at, oid] of unique.entries()) {
    const head = heads[at];
    if (head?.type !== 'blob') blobs.set(oid, 'missing');
    else if (head.size > request.maxBytes) blobs.set(oid, 'too-large');
    else wanted.push({ oid, size: head.size });
  }
  const rest: typeof wanted = [];
  for (const blob of wanted) {
    const bytes = wanted.length <= FEW_BLOBS ? await request.inProcess(blob.oid) : null;
    if (bytes === null) rest.push(blob);
    else blobs.set(blob.oid, bytes);
  }
  for (const part of parts(rest)) {
    const objects: (BatchObject | null)[] = await batch.contents(part);
    for (const [at, oid] of part.entries()) blobs.set(oid, objects[at]?.bytes ?? 'missing');
  }
  return blobs;
}

function* parts(blobs: readonly { oid: string; size: number }[]): Generator<string[]> {
  let part: string[] = [];
  let bytes = 0;
  for (const blob of blobs) {
    if (part.length > 0 && bytes + blob.size > EXCHANGE_MAX_BYTES) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(blob.oid);
    bytes += blob.size;
  }
  if (part.length > 0) yield part;
}

function parseListing(output: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  let at = 0;
  while (at < output.length) {
    const end = output.indexOf(0, at);
    const tab = output.indexOf(9, at);
    // `MODE TYPE OID<TAB>PATH<NUL>`
    const [mode = '', , oid = ''] = output.toString('latin1', at, tab).split(' ');
    entries.push({ path: output.toString('utf8', tab + 1, end), oid, mode });
    at = end + 1;
  }
  return entries;
}
