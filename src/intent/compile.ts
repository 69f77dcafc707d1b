/** The whole way from the files of a commit to its Intent, reusing what was read of unchanged files before. */
import type { Intent } from '../model/intent.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { ParsedFile, SourceFile } from './file.ts';
import { isIntentPath, parseFile } from './parse.ts';
import { resolveIntent } from './resolve.ts';

/** Entries that a cache keeps beyond the files of the commit at hand. */
const SPARE = 1000;

/** What the files of a commit come to. */
export interface CompiledIntent {
  /** Null when anything is wrong. */
  readonly intent: Intent | null;
  /** All of them, by file, line and column. */
  readonly diagnostics: readonly Diagnostic[];
  readonly parsed: readonly ParsedFile[];
}

/**
 * Reads and cross-checks the files of a commit; those that are none of documents are passed over. `cache` is the
 * caller's: read and added to, and kept within bounds here.
 */
export function compileIntent(
  commit: string,
  files: readonly SourceFile[],
  cache: Map<string, ParsedFile> = new Map(),
): CompiledIntent {
  const parsed = files.filter(({ path }) => isIntentPath(path)).map((file) => cached(file, cache));
  trim(cache, 2 * parsed.length + SPARE);
  return { ...resolveIntent(commit, parsed), parsed };
}

/** The answer depends on path, mode and contents alone; whether git gave the contents is part of it. */
export function parseKey(file: Pick<SourceFile, 'path' | 'oid' | 'mode'>): string {
  return `${file.mode} ${file.oid} ${file.path}`;
}

function cached(file: SourceFile, cache: Map<string, ParsedFile>): ParsedFile {
  const key = parseKey(file);
  const known = cache.get(key);
  if (known !== undefined) {
    // To the end: the oldest unused go first.
    cache.delete(key);
    cache.set(key, known);
    return known;
  }
  const fresh = parseFile(file);
  if (file.content !== 'missing') cache.set(key, fresh);
  return fresh;
}

function trim(cache: Map<string, ParsedFile>, limit: number): void {
  for (const key of cache.keys()) {
    if (cache.size <= limit) return;
    cache.delete(key);
  }
}
