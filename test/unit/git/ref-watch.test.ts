import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import type { GitRepository } from '../../../src/adapters/git/repository.ts';
import { atEnd, git, open, scratchDir, testEnvironment, until } from './scratch.ts';

/** Counts wake-ups and notes what the branch was at each. */
function follow(repo: GitRepository): { seen: (string | null)[]; ended: Promise<void>; stop: () => void } {
  const stopping = new AbortController();
  const seen: (string | null)[] = [];
  const ended = (async () => {
    for await (const _ of repo.watch(stopping.signal)) seen.push(await repo.resolve(repo.watchedRef));
  })();
  atEnd(async () => {
    stopping.abort();
    await ended;
  });
  return { seen, ended, stop: () => stopping.abort() };
}

async function change(repo: GitRepository, parent: string | null, text: string): Promise<string> {
  const made = await repo.commitChange({
    parent,
    files: [{ path: 'a', text }],
    author: 'A <a@b>',
    message: text,
  });
  if (!made.ok) throw new Error(made.error.message);
  return made.value;
}

test('a watch looks once at the start, then at every move, and ends when told', async () => {
  const repo = await open(path.join(scratchDir(), 'intent.git'));
  const watching = follow(repo);
  await until(() => watching.seen.length === 1);

  const first = await change(repo, null, '1');
  await until(() => watching.seen.at(-1) === first);
  const second = await change(repo, first, '2');
  await until(() => watching.seen.at(-1) === second);
  git(repo.path, ['pack-refs', '--all']);
  const third = await change(repo, second, '3');
  await until(() => watching.seen.at(-1) === third);
  watching.stop();

  await watching.ended;
});

test('many moves in a blocked process wake it at least once, and it sees the last', async () => {
  const repo = await open(path.join(scratchDir(), 'intent.git'));
  const first = await change(repo, null, '1');
  const watching = follow(repo);
  await until(() => watching.seen.length === 1);

  const script = `for n in 1 2 3 4 5 6 7 8 9 10; do
    git update-ref refs/heads/main $(git commit-tree $(git rev-parse main^{tree}) -p main -m $n); done`;
  spawnSync('sh', ['-c', script], { cwd: repo.path, env: testEnvironment });

  const last = git(repo.path, ['rev-parse', 'main']).trim();
  await until(() => watching.seen.at(-1) === last);
  expect(last).not.toBe(first);
});

test('a commit by hand in a followed work tree wakes it; notes of ours do not', async () => {
  const dir = scratchDir();
  git(dir, ['init', '-q', '-b', 'main']);
  const repo = await open(dir);
  const watching = follow(repo);
  await until(() => watching.seen.length === 1);

  writeFileSync(path.join(dir, 'a'), 'x');
  git(dir, ['add', '.']);
  git(dir, ['commit', '-qm', 'by hand']);
  const commit = git(dir, ['rev-parse', 'HEAD']).trim();

  await until(() => watching.seen.at(-1) === commit);
});

test('without any file event the periodic look finds the move', async () => {
  const repo = await open(path.join(scratchDir(), 'intent.git'), { resolveEveryMs: 50 });
  const watching = follow(repo);
  await until(() => watching.seen.length === 1);

  git(repo.path, ['symbolic-ref', 'HEAD', 'refs/heads/other']);

  await until(() => watching.seen.length > 1);
});

test('a ref that lives in packed-refs alone is watched, too', async () => {
  const repo = await open(path.join(scratchDir(), 'intent.git'), { resolveEveryMs: 3_600_000 });
  const first = await change(repo, null, '1');
  const watching = follow(repo);
  await until(() => watching.seen.length === 1);

  git(repo.path, ['update-ref', 'refs/heads/extra', first]);
  git(repo.path, ['pack-refs', '--all', '--prune']);
  await until(() => watching.seen.length > 1);
  git(repo.path, ['update-ref', '-d', 'refs/heads/main']);

  await until(() => watching.seen.at(-1) === null);
});
