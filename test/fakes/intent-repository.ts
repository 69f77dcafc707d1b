/** An intent repository as plain data: commits with their files, one branch, compare-and-swap. Outlives every daemon. */
import { err, failure, ok } from '../../src/base/result.ts';
import { sha256 } from '../../src/base/sha256.ts';
import type { CommitInfo, IntentRepository, TreeChange, TreeEntry } from '../../src/ports.ts';
import type { Life } from '../simulation/life.ts';

export interface FakeCommit extends CommitInfo {
  readonly files: ReadonlyMap<string, string>;
}

export interface IntentHistory {
  readonly commits: ReadonlyMap<string, FakeCommit>;
  readonly head: string | null;
  /** Writes a commit on top of `parent`; the branch stays where it is. */
  write(change: {
    readonly parent: string | null;
    readonly files: ReadonlyMap<string, string>;
    readonly message: string;
    readonly at: number;
    readonly author?: string;
  }): string;
  moveHead(commit: string): void;
  onMove(listener: () => void): () => void;
  isAncestor(ancestor: string, descendant: string): boolean;
}

const REF = 'refs/heads/main';

export function createIntentHistory(): IntentHistory {
  const commits = new Map<string, FakeCommit>();
  const listeners = new Set<() => void>();
  let head: string | null = null;
  return {
    commits,
    get head() {
      return head;
    },
    write({ parent, files, message, at, author = 'Ann <ann@example.org>' }) {
      const tree = oid(JSON.stringify([...files].toSorted(([a], [b]) => (a < b ? -1 : 1))));
      const oidOf = oid(`${parent} ${tree} ${at} ${message} ${commits.size}`);
      const parents = parent === null ? [] : [parent];
      commits.set(oidOf, { oid: oidOf, tree, parents, author, at, message, files: new Map(files) });
      return oidOf;
    },
    moveHead(commit) {
      head = commit;
      for (const listener of listeners) listener();
    },
    onMove(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    isAncestor: (ancestor, descendant) => lineOf(commits, descendant).includes(ancestor),
  };
}

/** One daemon's view of it. Every call is a step of that daemon. */
export function openIntentRepository(history: IntentHistory, life: Life): IntentRepository {
  const at = async <T>(what: string, answer: () => T): Promise<T> => {
    await life.step(`git.${what}`);
    return answer();
  };
  const named = (ref: string): string | null => (ref === REF ? history.head : exact(history, ref));
  return {
    watchedRef: REF,
    path: '/intent.git',
    resolve: (ref) => at('resolve', () => named(ref)),
    commit: (commit) => at('commit', () => history.commits.get(commit) ?? null),
    list: (commit) => at('list', () => entries(history, commit)),
    diff: (from, to) =>
      at('diff', () => changes(from === null ? [] : entries(history, from), entries(history, to))),
    read: (oids) =>
      at('read', () => {
        const texts = [...history.commits.values()].flatMap(({ files }) => [...files.values()]);
        const byOid = new Map(texts.map((text) => [oid(text), new TextEncoder().encode(text)]));
        return new Map(oids.map((one) => [one, byOid.get(one) ?? 'missing']));
      }),
    pathOid: (commit, path) =>
      at('pathOid', () => entries(history, commit).find((entry) => entry.path === path)?.oid ?? null),
    isAncestor: (ancestor, descendant) => at('isAncestor', () => history.isAncestor(ancestor, descendant)),
    range: (old, to, limit) =>
      at('range', () => {
        const known = new Set(old === null ? [] : lineOf(history.commits, old));
        return lineOf(history.commits, to)
          .filter((commit) => !known.has(commit))
          .slice(0, limit);
      }),
    async commitChange({ parent, files, author, message }) {
      await life.step('git.commitChange');
      if (history.head !== parent) return err(failure('ref-moved', 'the branch has moved'));
      const before = parent === null ? new Map<string, string>() : history.commits.get(parent)?.files;
      const after = new Map(before);
      for (const { path, text } of files)
        if (text === null) after.delete(path);
        else after.set(path, text);
      const commit = history.write({ parent, files: after, message, author, at: life.clock.now() });
      history.moveHead(commit);
      await life.step('git.commitChange reply');
      return ok(commit);
    },
    async *watch(signal) {
      let moved = new AbortController();
      life.onDeath(history.onMove(() => moved.abort()));
      while (!signal.aborted) {
        await life.clock.sleep(15_000, AbortSignal.any([moved.signal, signal]));
        if (moved.signal.aborted) await life.step('git.watch');
        moved = new AbortController();
        yield;
      }
    },
  };
}

/** From a commit to the first one, newest first. */
function lineOf(commits: ReadonlyMap<string, FakeCommit>, from: string): readonly string[] {
  const line: string[] = [];
  for (let at: string | undefined = from; at !== undefined; at = commits.get(at)?.parents[0]) line.push(at);
  return line;
}

function exact(history: IntentHistory, ref: string): string | null {
  return [...history.commits.keys()].find((commit) => commit.startsWith(ref)) ?? null;
}

function entries(history: IntentHistory, commit: string): readonly TreeEntry[] {
  const files = history.commits.get(commit)?.files ?? new Map<string, string>();
  return [...files]
    .map(([path, text]) => ({ path, oid: oid(text), mode: '100644' }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function changes(before: readonly TreeEntry[], after: readonly TreeEntry[]): readonly TreeChange[] {
  const paths = new Set([...before, ...after].map(({ path }) => path));
  return [...paths].flatMap((path) => {
    const old = before.find((entry) => entry.path === path)?.oid ?? null;
    const now = after.find((entry) => entry.path === path)?.oid ?? null;
    return old === now ? [] : [{ path, before: old, after: now, mode: '100644' }];
  });
}

export function oid(text: string): string {
  return sha256(text).slice(0, 40);
}
