import { spawn } from 'node:child_process';
import path from 'node:path';

import { expect, test } from 'vitest';

import { createNoteWriter } from '../../../src/adapters/git/notes.ts';
import type { NoteStore } from '../../../src/adapters/git/notes.ts';
import type { GitRepository } from '../../../src/adapters/git/repository.ts';
import { git, open, scratchDir, testEnvironment } from './scratch.ts';

async function notesOf(count: number): Promise<{ repo: GitRepository; notes: NoteStore; commits: string[] }> {
  const repo = await open(path.join(scratchDir(), 'intent.git'));
  const stream = Array.from({ length: count }, (_, n) => {
    const from = n === 0 ? '' : `from :${n}\n`;
    return `commit refs/heads/main\nmark :${n + 1}\ncommitter A <a@b> ${n} +0000\ndata 1\nx\n${from}`;
  });
  git(repo.path, ['fast-import', '--quiet'], stream.join(''));
  const commits = git(repo.path, ['rev-list', '--reverse', 'main']).trim().split('\n');
  return { repo, notes: createNoteWriter(repo), commits };
}

const shown = (repo: GitRepository, commit: string): string =>
  git(repo.path, ['notes', '--ref=mainstay', 'show', commit]);
const block = (state: string, more = ''): string => `state: ${state}\n${more}`;

async function written(notes: NoteStore, entries: { commit: string; text: string }[]): Promise<void> {
  const result = await notes.write(entries);
  if (!result.ok) throw new Error(result.error.message);
}

test('a note is written, rewritten, and read by stock git; the same text again makes no commit', async () => {
  const { repo, notes, commits } = await notesOf(1);
  const commit = commits[0] ?? '';

  await written(notes, [{ commit, text: block('pending') }]);
  await written(notes, [{ commit, text: block('converged', 'by: "Ümit"\n') }]);
  const before = git(repo.path, ['rev-parse', 'refs/notes/mainstay']);
  await written(notes, [{ commit, text: block('converged', 'by: "Ümit"\n') }]);

  expect(shown(repo, commit)).toBe('state: converged\nby: "Ümit"\n...\n');
  expect(git(repo.path, ['log', '--notes=mainstay', '-1', 'main'])).toContain('state: converged');
  expect(git(repo.path, ['rev-parse', 'refs/notes/mainstay'])).toBe(before);
  expect(await notes.read(commit)).toMatchObject({ commit, ours: 'state: converged\nby: "Ümit"\n' });
  expect(await notes.read('f'.repeat(40))).toBeNull();
});

test('many notes at once are one notes commit, and waiting writes are joined', async () => {
  const { repo, notes, commits } = await notesOf(300);

  await written(
    notes,
    commits.map((commit) => ({ commit, text: block('pending') })),
  );
  expect(git(repo.path, ['rev-list', '--count', 'refs/notes/mainstay']).trim()).toBe('1');
  await Promise.all(commits.map((commit) => written(notes, [{ commit, text: block('held') }])));

  expect(Number(git(repo.path, ['rev-list', '--count', 'refs/notes/mainstay']))).toBeLessThan(5);
  expect(git(repo.path, ['notes', '--ref=mainstay', 'list']).trim().split('\n')).toHaveLength(300);
  const listed = await notes.list();
  expect(new Set(listed.map((note) => note.commit))).toEqual(new Set(commits));
  expect(listed.every((note) => note.ours === 'state: held\n')).toBe(true);
});

test('whatever layout stock git leaves (flat, fanned out, mixed), each note stands once and foreign text stays', async () => {
  const { repo, notes, commits } = await notesOf(300);
  const [flat = '', deep = '', twice = '', ours = ''] = commits;
  const blob = (text: string | Buffer): string =>
    git(repo.path, ['hash-object', '-w', '--stdin'], text).trim();
  const spread = (oid: string, depth: number): string =>
    `${oid.slice(0, 2 * depth).replace(/../g, '$&/')}${oid.slice(2 * depth)}`;
  const entries = [
    [flat, blob('flat')],
    [spread(deep, 2), blob('deep')],
    [twice, blob('one')],
    [spread(twice, 1), blob('two')],
    ['readme', blob('no note')],
  ];
  const index = entries.map(([name, oid]) => `M 100644 ${oid} ${name}\n`).join('');
  git(
    repo.path,
    ['fast-import', '--quiet'],
    `commit refs/notes/mainstay\ncommitter A <a@b> 0 +0000\ndata 1\nx\n${index}`,
  );

  await written(
    notes,
    [flat, deep, twice, ours].map((commit) => ({ commit, text: block('converged') })),
  );

  const files = git(repo.path, ['ls-tree', '-r', '--name-only', 'refs/notes/mainstay']).trim().split('\n');
  expect(files.map((file) => file.replaceAll('/', '')).toSorted()).toEqual(
    [flat, deep, twice, ours, 'readme'].toSorted(),
  );
  expect(shown(repo, flat)).toBe('state: converged\n...\n\nflat\n');
  expect(shown(repo, deep)).toBe('state: converged\n...\n\ndeep\n');
  expect(shown(repo, twice)).toBe('state: converged\n...\n\none\ntwo\n');

  // Stock git lays the tree out anew when it writes.
  for (const commit of commits.slice(4))
    git(repo.path, ['notes', '--ref=mainstay', 'add', '-f', '-m', 'theirs', commit]);
  await written(
    notes,
    commits.map((commit) => ({ commit, text: block('failed') })),
  );
  expect(git(repo.path, ['notes', '--ref=mainstay', 'list']).trim().split('\n')).toHaveLength(300);
  expect(shown(repo, commits[200] ?? '')).toBe('state: failed\n...\n\ntheirs\n');
  expect(shown(repo, flat)).toBe('state: failed\n...\n\nflat\n');
}, 60_000);

test('foreign text that is not UTF-8 comes out as it went in', async () => {
  const { repo, notes, commits } = await notesOf(1);
  const commit = commits[0] ?? '';
  const theirs = Buffer.from([0x66, 0xff, 0xfe, 0x0a]);
  const oid = git(repo.path, ['hash-object', '-w', '--stdin'], theirs).trim();
  git(repo.path, ['notes', '--ref=mainstay', 'add', '-C', oid, commit]);

  await written(notes, [{ commit, text: block('held', 'by: é\n') }]);

  const [entry] = await repo.list((await repo.resolve('refs/notes/mainstay')) ?? '');
  const read = (await repo.read([entry?.oid ?? ''], 1000)).get(entry?.oid ?? '') as Uint8Array;
  expect(Buffer.from(read)).toEqual(Buffer.concat([Buffer.from('state: held\nby: é\n...\n\n'), theirs]));
});

test('sixteen processes that add notes by compare-and-swap lose nothing, nor do we', async () => {
  const { repo, notes, commits } = await notesOf(64);
  const theirs = Array.from({ length: 16 }, (_, n) =>
    foreignWriter(repo.path, `w${n}`, commits.slice(n * 2, n * 2 + 4)),
  );

  for (let round = 0; round < 3; round += 1) {
    await Promise.all(
      commits.map((commit) =>
        written(notes, [{ commit, text: block(round === 2 ? 'converged' : 'converging') }]),
      ),
    );
  }
  expect(await Promise.all(theirs)).toEqual(theirs.map(() => 0));

  const all = new Map((await notes.list()).map((note) => [note.commit, note.text]));
  for (const commit of commits) expect(all.get(commit)).toContain('state: converged\n...\n');
  for (let n = 0; n < 16; n += 1) {
    for (const commit of commits.slice(n * 2, n * 2 + 4)) {
      expect(
        all
          .get(commit)
          ?.split('\n')
          .filter((line) => line === `foreign w${n}`),
      ).toHaveLength(1);
    }
  }
}, 120_000);

/** Appends one line to the notes of these commits with plumbing alone, and tries again until its swap succeeds. */
function foreignWriter(repo: string, name: string, commits: readonly string[]): Promise<number | null> {
  const script = `
    set -u; export GIT_INDEX_FILE="$(mktemp -u)"
    for commit in "$@"; do
      while :; do
        old=$(git rev-parse -q --verify refs/notes/mainstay || echo 0000000000000000000000000000000000000000)
        rm -f "$GIT_INDEX_FILE"; parent=
        case $old in 0000*) ;; *) git read-tree $old || continue; parent="-p $old";; esac
        path=$(git ls-files | sed "h;s,/,,g;/^$commit$/!d;g" | head -1)
        [ -n "$path" ] || path=$commit
        blob=$({ git cat-file blob :$path 2>/dev/null; printf '\\nforeign ${name}\\n'; } | git hash-object -w --stdin)
        git update-index --add --cacheinfo 100644,$blob,$path || continue
        new=$(git commit-tree $(git write-tree) $parent -m x) || continue
        git update-ref refs/notes/mainstay $new $old 2>/dev/null && break
      done
    done; rm -f "$GIT_INDEX_FILE"`;
  const child = spawn('sh', ['-c', script, 'writer', ...commits], {
    cwd: repo,
    env: testEnvironment,
    stdio: 'ignore',
  });
  return new Promise((resolve) => child.on('close', resolve));
}
