import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { createNoteWriter, noteWriterFor } from '../../../src/adapters/git/notes.ts';
import { commitIn, push, texts } from './host.ts';
import { atEnd, git, open, scratchDir, until } from './scratch.ts';

interface Killable {
  readonly lines: string[];
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
}

function daemon(dir: string, stage: string): Killable {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'host-process.ts'), dir, stage], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  atEnd(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n').filter(Boolean)));
  return { lines, child, ended: new Promise((resolve) => child.on('close', resolve)) };
}

function cloneWithCommit(): { clone: string; commit: string } {
  const clone = path.join(scratchDir(), 'clone');
  git('/', ['init', '-q', '-b', 'main', clone]);
  return { clone, commit: commitIn(clone, 'one') };
}

const cases = (['http', 'path'] as const).flatMap((way) => [
  { way, stage: 'check', moved: false },
  { way, stage: 'follow', moved: true },
]);

test.each(cases)(
  'a daemon killed at the $stage of a push by $way leaves git consistent',
  async ({ way, stage, moved }) => {
    const dir = scratchDir();
    const killed = daemon(dir, stage);
    await until(() => killed.lines.length > 0);
    const { clone, commit } = cloneWithCommit();

    const pushed = push(clone, way === 'http' ? (killed.lines[0] ?? '') : path.join(dir, 'intent.git'));
    await until(() => killed.lines.includes(`at ${stage}`));
    killed.child.kill('SIGKILL');
    await killed.ended;
    const code = await pushed.ended;

    const repo = await open(path.join(dir, 'intent.git'));
    expect(await repo.resolve('refs/heads/main')).toBe(moved ? commit : null);
    if (!moved) expect(code).not.toBe(0);
    if (way === 'path') {
      expect(texts(pushed)).toContain(
        moved
          ? 'remote: Mainstay stopped; the push is stored and is taken up when it runs again'
          : 'remote: Mainstay stopped while it was checking this push; start it again and push again',
      );
    }
    git(repo.path, ['fsck', '--strict', '--connectivity-only']);

    const next = daemon(dir, 'none');
    await until(() => next.lines.length > 0);
    commitIn(clone, 'two');
    expect(await push(clone, path.join(dir, 'intent.git')).ended).toBe(0);
  },
);

test('a ref lock that a killed git left is removed at start; one that somebody holds is not', async () => {
  const dir = path.join(scratchDir(), 'intent.git');
  const first = await open(dir);
  await first.close();
  const lock = path.join(dir, 'refs', 'heads', 'main.lock');
  mkdirSync(path.dirname(lock), { recursive: true });
  writeFileSync(lock, '');
  // The lock is a living git's as long as one works there.
  const living = spawn('git', ['cat-file', '--batch'], { cwd: dir, stdio: ['pipe', 'ignore', 'ignore'] });
  await new Promise((resolve) => living.once('spawn', resolve));

  await (await open(dir)).close();
  const heldWhileLiving = existsSync(lock);
  living.kill('SIGKILL');
  await new Promise((resolve) => living.once('close', resolve));
  await (await open(dir)).close();

  expect([heldWhileLiving, existsSync(lock)]).toEqual([true, false]);
});

test('a commit whose work tree had followed when we died gets its branch; one that had not is forgotten', async () => {
  const dir = scratchDir();
  git(dir, ['init', '-q', '-b', 'main']);
  const base = commitIn(dir, 'one');
  const next = commitIn(dir, 'two');
  git(dir, ['update-ref', 'refs/heads/main', base]);
  git(dir, ['update-ref', 'refs/mainstay/pending', next]);

  const finished = await open(dir);
  expect(await finished.resolve('HEAD')).toBe(next);
  expect(git(dir, ['status', '--porcelain'])).toBe('');

  git(dir, ['reset', '-q', '--hard', base]);
  git(dir, ['update-ref', 'refs/mainstay/pending', next]);
  const forgotten = await open(dir);
  expect(await forgotten.resolve('HEAD')).toBe(base);
  expect(await forgotten.resolve('refs/mainstay/pending')).toBeNull();
  expect(readFileSync(path.join(dir, 'web.yaml'), 'utf8')).toBe('one');
});

test('a repository of many packs is repacked in turn with the notes, and notes of another repository are written', async () => {
  const repo = await open(path.join(scratchDir(), 'intent.git'));
  const notes = createNoteWriter(repo);
  const { clone, commit } = cloneWithCommit();
  for (let n = 0; n < 31; n += 1) {
    const oid = git(repo.path, ['hash-object', '-w', '--stdin'], `${n}`);
    git(repo.path, ['pack-objects', '-q', path.join(repo.path, 'objects', 'pack', 'pack')], oid);
  }

  const [write, repacked, again] = await Promise.all([
    notes.write([{ commit, text: 'state: pending\n' }]),
    notes.maintain(new AbortController().signal),
    notes.write([{ commit, text: 'state: converged\n' }]),
  ]);
  const elsewhere = await noteWriterFor(path.join(clone, '.git')).write([
    { commit, text: 'state: converged\napp: web\n' },
  ]);
  const nowhere = await noteWriterFor(path.join(clone, 'nowhere')).write([
    { commit, text: 'state: converged\n' },
  ]);

  expect([write.ok, repacked, again.ok, elsewhere.ok]).toEqual([true, true, true, true]);
  expect(nowhere).toMatchObject({ ok: false, error: { code: 'note-write-failed' } });
  expect((await notes.read(commit))?.ours).toBe('state: converged\n');
  expect(git(clone, ['notes', '--ref=mainstay', 'show', commit])).toBe('state: converged\napp: web\n...\n');
});
