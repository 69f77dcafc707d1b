/**
 * Finds what an app's source names: reads repositories of this machine in place and mirrors those behind URLs.
 * Decides when the network is asked; whether a new commit is deployed is decided elsewhere.
 */
import { join } from 'node:path';
import { err, failure, type Result } from '../../base/result.ts';
import type { SourceRef, SourceVersion } from '../../model/source.ts';
import type { Clock, Log, Random, SourceStore } from '../../ports.ts';
import { findGitDir, locate, type Location } from './location.ts';
import { createMirror, type Mirror } from './mirror.ts';
import { isFullHash, resolveIn, unreachable } from './resolve-in.ts';
import { createSourceWatch } from './source-watch.ts';

export interface SourceStoreOptions {
  readonly dataDir: string;
  /** Git dir of the intent repository, which `repo: .` means. */
  readonly intentGitDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How often repositories behind URLs are asked; default 15 s. */
  readonly pollMs?: number;
}

/**
 * Failures of `resolve`: `unknown-commit` and `source-path-missing` (no retry), `source-unreachable` (retry after
 * 15 s), `aborted`. A full hash whose commit is here already is resolved without any network.
 */
export function createSourceStore(options: SourceStoreOptions): SourceStore {
  const pollMs = options.pollMs ?? 15_000;
  const mirrors = new Map<string, Mirror>();

  function mirrorOf(remote: Extract<Location, { kind: 'remote' }>): Mirror {
    const known = mirrors.get(remote.id);
    if (known !== undefined) return known;
    const made = createMirror(remote, { ...options, folder: join(options.dataDir, 'sources') });
    mirrors.set(remote.id, made);
    return made;
  }

  async function resolveRemote(
    source: SourceRef,
    remote: Extract<Location, { kind: 'remote' }>,
    ref: string,
    signal: AbortSignal,
  ): Promise<Result<SourceVersion>> {
    const mirror = mirrorOf(remote);
    const place = { gitDir: mirror.gitDir, shown: remote.shown };
    const look = (): Promise<Result<SourceVersion>> => resolveIn(place, source, ref, signal);
    const whole = isFullHash(ref);
    if (whole) {
      const here = await look();
      if (here.ok || here.error.code === 'source-path-missing') return here;
    }
    // A name is asked anew as soon as the last answer is a third of a poll old; a commit we lack always is.
    const refreshed = await mirror.refresh(whole ? 0 : Math.floor(pollMs / 3), signal);
    if (!refreshed.ok) return refreshed;
    const found = await look();
    if (found.ok || found.error.code !== 'unknown-commit') return found;
    if (whole) return (await mirror.fetchCommit(ref, signal)) ? look() : found;
    // The name may be younger than the last answer.
    const again = await mirror.refresh(0, signal);
    return again.ok && again.value.moved ? look() : found;
  }

  const watching = createSourceWatch({ ...options, pollMs, mirrorOf });
  return {
    watch: watching.watch,
    reread: watching.reread,
    async resolve(source, intentCommit, signal) {
      const location = locate(source.repo);
      switch (location.kind) {
        case 'intent': {
          const place = { gitDir: options.intentGitDir, shown: 'the intent repository' };
          return resolveIn(place, source, source.ref ?? intentCommit, signal);
        }
        case 'local': {
          const gitDir = await findGitDir(location.path);
          if (gitDir === null)
            return err(unreachable({ shown: location.path }, 'there is no git repository.'));
          return resolveIn({ gitDir, shown: location.path }, source, source.ref ?? 'HEAD', signal);
        }
        case 'remote':
          return resolveRemote(source, location, source.ref ?? 'HEAD', signal);
        case 'refused':
          return err(
            failure('source-unreachable', `The repository ${source.repo} cannot be used: ${location.why}.`),
          );
      }
    },
  };
}
