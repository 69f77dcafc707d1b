/** Source repositories as plain data: versions with a fixed character, branches that move, remotes that go away. */
import { err, failure, ok } from '../../src/base/result.ts';
import type { SourceRef, SourceVersion } from '../../src/model/source.ts';
import type { SourceStore } from '../../src/ports.ts';
import type { Life } from '../simulation/life.ts';
import { oid } from './intent-repository.ts';

/**
 * How a version behaves when it is started. `slow`: healthy, but only after a while. `crashy`: healthy, and ends by
 * itself later. The others never become healthy.
 */
export type Character =
  | 'good'
  | 'slow'
  | 'crashy'
  | 'unhealthy'
  | 'silent'
  | 'exits'
  | 'unstartable'
  | 'bad-setup';

export interface Sources {
  /** What each commit does when it runs. */
  readonly characters: ReadonlyMap<string, Character>;
  readonly branches: Map<string, string>;
  /** Repositories that do not answer now. */
  readonly unreachable: Set<string>;
  /** A new commit of that repository. */
  write(repo: string, character: Character): string;
  /** What a ref of a repository means; null: nothing. */
  resolve(source: SourceRef, intentCommit: string): SourceVersion | null;
  moved(): void;
  onMove(listener: () => void): () => void;
}

export function createSources(): Sources {
  const characters = new Map<string, Character>();
  const homes = new Map<string, string>();
  const branches = new Map<string, string>();
  const listeners = new Set<() => void>();
  return {
    characters,
    branches,
    unreachable: new Set(),
    write(repo, character) {
      const commit = oid(`${repo} ${character} ${characters.size}`);
      characters.set(commit, character);
      homes.set(commit, repo);
      return commit;
    },
    resolve(source) {
      const branch = branches.get(`${source.repo} ${source.ref}`);
      const commit = branch ?? source.ref ?? '';
      if (homes.get(commit) !== source.repo) return null;
      return {
        source,
        commit,
        tree: oid(`tree ${commit}`),
        gitDir: source.repo,
        followed: branch !== undefined,
      };
    },
    moved: () => listeners.forEach((listener) => listener()),
    onMove(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** One daemon's view of them. */
export function openSources(sources: Sources, life: Life): SourceStore {
  return {
    async resolve(source, intentCommit) {
      await life.step('sources.resolve');
      if (sources.unreachable.has(source.repo)) {
        await life.clock.sleep(300);
        const message = `${source.repo} does not answer`;
        return err(failure('source-unreachable', message, { retry: { kind: 'after', ms: 2000 } }));
      }
      const version = sources.resolve(source, intentCommit);
      if (version !== null) return ok(version);
      return err(failure('source-ref-unknown', `${source.repo} has no ${source.ref}`));
    },
    reread: () => undefined,
    async *watch(_sources, signal) {
      let moved = new AbortController();
      life.onDeath(sources.onMove(() => moved.abort()));
      while (!signal.aborted) {
        await life.clock.sleep(15_000, AbortSignal.any([moved.signal, signal]));
        moved = new AbortController();
        yield;
      }
    },
  };
}
