/**
 * Repacks the daemon's own repository when it has grown many loose objects or packs. Git's automatic gc is off there,
 * because it would run inside somebody's push. A person's repository is never touched.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';

import { gitError } from './git-command.ts';
import type { GitRepository } from './repository.ts';

const LOOSE_MAX = 5000;
const PACKS_MAX = 30;
const LIMIT_MS = 10 * 60_000;
/** Of 256 folders git spreads loose objects over evenly, these are counted. */
const SAMPLE = ['17', '4a', '8c', 'd1'];

/** True when it repacked. Nothing younger than two weeks is pruned, so pushes and builders meanwhile lose nothing. */
export async function maintain(
  repository: Pick<GitRepository, 'git' | 'place'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (!repository.place.bare) return false;
  const objects = path.join(repository.place.commonDir, 'objects');
  const [loose, packs] = await Promise.all([looseObjects(objects), packFiles(objects)]);
  if (loose < LOOSE_MAX && packs < PACKS_MAX) return false;
  const args = ['gc', '--quiet', '--prune=2.weeks.ago'];
  const ended = await repository.git.run(args, { timeoutMs: LIMIT_MS, signal });
  if (ended.code !== 0) throw gitError(args, ended);
  return true;
}

async function looseObjects(objects: string): Promise<number> {
  const counts = await Promise.all(
    SAMPLE.map(async (name) => (await names(path.join(objects, name))).length),
  );
  return (counts.reduce((sum, count) => sum + count, 0) / SAMPLE.length) * 256;
}

async function packFiles(objects: string): Promise<number> {
  return (await names(path.join(objects, 'pack'))).filter((name) => name.endsWith('.pack')).length;
}

async function names(dir: string): Promise<string[]> {
  return await readdir(dir).catch(() => []);
}
