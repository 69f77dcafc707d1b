/** Wake-ups for sources that move: file events here, polls for URLs, none when nothing moves. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSourceStore } from '../../../src/adapters/sources/source-store.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import { systemRandom } from '../../../src/adapters/system/random.ts';
import type { SourceRef } from '../../../src/model/source.ts';
import { commit, repository, scratch } from './repositories.ts';
import { git } from '../../support/plain-git.ts';

const log = { info: () => {}, warn: () => {}, error: () => {} };

/** Reads wake-ups until `done` says so; the limit is the test's own. */
async function wakesUntil(
  dir: string,
  source: SourceRef,
  options: { readonly pollMs: number; readonly onWake: (resolved: string | null, count: number) => boolean },
): Promise<void> {
  const stop = new AbortController();
  const store = createSourceStore({
    dataDir: join(dir, 'data'),
    intentGitDir: join(dir, 'intent/.git'),
    clock: systemClock,
    random: systemRandom,
    log,
    pollMs: options.pollMs,
  });
  let count = 0;
  for await (const _wake of store.watch(
    () => [source],
    AbortSignal.any([stop.signal, AbortSignal.timeout(8_000)]),
  )) {
    count += 1;
    const now = await store.resolve(source, '', stop.signal);
    if (options.onWake(now.ok ? now.value.commit : null, count)) return stop.abort();
  }
  throw new Error('the watch ended before the change was seen');
}

test('a commit in a local repository wakes the reader long before the next poll, also after refs were packed', async () => {
  using place = scratch();
  const repo = repository(join(place.dir, 'app'));
  commit(repo, { 'a.txt': '1' });
  let wanted: string | null = null;
  let rounds = 0;

  await wakesUntil(
    place.dir,
    { repo, ref: 'main', path: '.' },
    {
      pollMs: 60_000,
      onWake: (seen) => {
        if (wanted !== null && seen !== wanted) return false;
        if (wanted !== null) rounds += 1;
        if (rounds === 1) git(repo, 'pack-refs', '--all');
        wanted = commit(repo, { 'a.txt': String(rounds) });
        return rounds === 2;
      },
    },
  );

  expect(rounds).toBe(2);
});

test('a URL is polled and its new commit is seen', async () => {
  using place = scratch();
  const repo = repository(join(place.dir, 'app'));
  commit(repo, { 'a.txt': '1' });
  let wanted: string | null = null;

  await wakesUntil(
    place.dir,
    { repo: `file://${repo}`, ref: 'main', path: '.' },
    {
      pollMs: 50,
      onWake: (seen) => {
        if (wanted !== null) return seen === wanted;
        wanted = commit(repo, { 'a.txt': '2' });
        return false;
      },
    },
  );

  expect(wanted).not.toBeNull();
});

test('the watch ends with its signal', async () => {
  using place = scratch();
  const repo = repository(join(place.dir, 'app'));
  commit(repo, { 'a.txt': '1' });
  const store = createSourceStore({
    dataDir: join(place.dir, 'data'),
    intentGitDir: repo,
    clock: systemClock,
    random: systemRandom,
    log,
  });

  const wakes: number[] = [];
  const source = { repo, ref: 'main', path: '.' };
  for await (const _wake of store.watch(() => [source], AbortSignal.timeout(300))) wakes.push(1);

  expect(wakes.length).toBeLessThanOrEqual(1);
});

test('a source that intent names later is watched as soon as the list is reread', async () => {
  using place = scratch();
  const repo = repository(join(place.dir, 'app'));
  commit(repo, { 'a.txt': '1' });
  const stop = AbortSignal.timeout(8_000);
  const store = createSourceStore({
    dataDir: join(place.dir, 'data'),
    intentGitDir: repo,
    clock: systemClock,
    random: systemRandom,
    log,
    pollMs: 60_000,
  });
  const sources: SourceRef[] = [];
  const wakes = store.watch(() => sources, stop)[Symbol.asyncIterator]();
  const first = wakes.next();
  const source = { repo, ref: 'main', path: '.' };

  sources.push(source);
  store.reread();
  expect((await first).done).not.toBe(true);
  const wanted = commit(repo, { 'a.txt': '2' });
  for (let seen = ''; seen !== wanted;) {
    expect((await wakes.next()).done).not.toBe(true);
    const now = await store.resolve(source, '', stop);
    seen = now.ok ? now.value.commit : '';
  }
  await wakes.return?.();
});
