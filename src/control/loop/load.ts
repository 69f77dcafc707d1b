/** Reads the documents of a commit: only what is not known yet is read, from the repository or from a push's quarantine. */
import type { Intent } from '../../model/intent.ts';
import { compileIntent, parseKey } from '../../intent/compile.ts';
import type { Diagnostic } from '../../intent/diagnostic.ts';
import type { ParsedFile, SourceFile } from '../../intent/file.ts';
import { MAX_FILE_BYTES, isIntentPath } from '../../intent/parse.ts';
import type { IntentRepository, Quarantine, TreeEntry } from '../../ports.ts';

export interface Loaded {
  readonly commit: string;
  readonly intent: Intent | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly parsed: readonly ParsedFile[];
  /** Every path in the commit, for sources inside the intent repository. */
  readonly entries: ReadonlyMap<string, TreeEntry>;
}

export interface Loader {
  load(commit: string, quarantine?: Quarantine): Promise<Loaded>;
}

export function createLoader(repository: IntentRepository): Loader {
  const cache = new Map<string, ParsedFile>();
  let last: Loaded | null = null;

  async function entriesOf(commit: string, quarantine?: Quarantine): Promise<ReadonlyMap<string, TreeEntry>> {
    if (last === null) {
      return new Map((await repository.list(commit, quarantine)).map((entry) => [entry.path, entry]));
    }
    const entries = new Map(last.entries);
    for (const change of await repository.diff(last.commit, commit, quarantine)) {
      if (change.after === null) entries.delete(change.path);
      else entries.set(change.path, { path: change.path, oid: change.after, mode: change.mode });
    }
    return entries;
  }

  return {
    async load(commit, quarantine) {
      if (last?.commit === commit) return last;
      const entries = await entriesOf(commit, quarantine);
      const wanted = [...entries.values()]
        .filter(({ path }) => isIntentPath(path))
        .sort((a, b) => (a.path < b.path ? -1 : 1));
      const unread = wanted.filter((entry) => !cache.has(parseKey(entry)) && isBlob(entry));
      const blobs = await repository.read(
        [...new Set(unread.map(({ oid }) => oid))],
        MAX_FILE_BYTES,
        quarantine,
      );
      const files: SourceFile[] = wanted.map((entry) => ({
        ...entry,
        content: blobs.get(entry.oid) ?? 'missing',
      }));
      const loaded = { commit, entries, ...compileIntent(commit, files, cache) };
      if (quarantine === undefined) last = loaded;
      return loaded;
    },
  };
}

function isBlob(entry: TreeEntry): boolean {
  return entry.mode.startsWith('100');
}
