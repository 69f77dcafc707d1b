import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { openIntentRepository } from '../../../src/adapters/git/repository.ts';
import type { GitRepository } from '../../../src/adapters/git/repository.ts';
import { clock, git, open, scratchDir, silent, testEnvironment } from './scratch.ts';

async function bareWith(files: Record<string, string>): Promise<{ repo: GitRepository; commit: string }> {
  const repo = await open(path.join(scratchDir(), 'intent.git'));
  const commit = await commitFiles(repo, null, files);
  return { repo, commit };
}

async function commitFiles(
  repo: GitRepository,
  parent: string | null,
  files: Record<string, string | null>,
): Promise<string> {
  const made = await repo.commitChange({
    parent,
    files: Object.entries(files).map(([name, text]) => ({ path: name, text })),
    author: 'Ada <ada@example.org>',
    message: 'change',
  });
  if (!made.ok) throw new Error(made.error.message);
  return made.value;
}

test('a free path becomes a bare repository on the branch, and is opened again as it is', async () => {
  const dir = path.join(scratchDir(), 'deep', 'intent.git');

  const repo = await open(dir);
  await open(dir);

  expect(repo.place.bare).toBe(true);
  expect(await repo.resolve('HEAD')).toBeNull();
  expect(git(dir, ['symbolic-ref', 'HEAD']).trim()).toBe('refs/heads/main');
  expect(git(dir, ['config', 'receive.fsckObjects']).trim()).toBe('true');
});

test('a folder that is no repository, and formats that are not supported, are refused with a clear message', async () => {
  const dir = scratchDir();
  writeFileSync(path.join(dir, 'notes.txt'), 'x');
  const sha256 = path.join(dir, 'sha256.git');
  git(dir, ['init', '-q', '--bare', '--object-format=sha256', sha256]);
  const reftable = path.join(dir, 'reftable.git');
  git(dir, ['init', '-q', '--bare', reftable]);
  git(reftable, ['config', 'extensions.refStorage', 'reftable']);

  const answers = [];
  for (const place of [dir, sha256, reftable]) {
    answers.push(await openIntentRepository({ path: place, branch: 'main', log: silent, clock }));
  }
  const badBranch = await openIntentRepository({ path: sha256, branch: 'a..b', log: silent, clock });

  expect(answers.map((answer) => (answer.ok ? null : answer.error.code))).toEqual([
    'repository-missing',
    'repository-unsupported',
    'repository-unsupported',
  ]);
  expect(badBranch.ok ? null : badBranch.error.code).toBe('branch-name-invalid');
});

test('a surrounding repository is never taken for the one at the path', async () => {
  const dir = scratchDir();
  git(dir, ['init', '-q', '-b', 'main']);

  const repo = await open(path.join(dir, 'data', 'intent.git'));

  expect(repo.place.gitDir).toBe(path.join(dir, 'data', 'intent.git'));
});

test('resolve takes refs, short hashes, tags and steps back, and nothing that searches or reads paths', async () => {
  const { repo, commit } = await bareWith({ 'a.yaml': 'a\n' });
  const second = await commitFiles(repo, commit, { 'a.yaml': 'b\n' });
  git(repo.path, ['tag', '-a', 'v1', '-m', 'one', commit]);

  const known = await Promise.all(
    ['main', 'refs/heads/main', '@', second.slice(0, 9), 'v1', 'main~1', 'HEAD^'].map((ref) =>
      repo.resolve(ref),
    ),
  );
  const unknown = await Promise.all(
    ['', '-a', ':/change', 'main:a.yaml', 'main@{0}', 'nope', 'main..v1', 'a\nb', 'HEAD^{/a}', 'x y'].map(
      (ref) => repo.resolve(ref),
    ),
  );

  expect(known).toEqual([second, second, second, second, commit, commit, commit]);
  expect(unknown).toEqual(unknown.map(() => null));
});

test('a commit is read as it was written', async () => {
  const { repo, commit } = await bareWith({ 'a.yaml': 'a\n' });

  const read = await repo.commit(commit);

  expect(read).toMatchObject({
    oid: commit,
    parents: [],
    author: 'Ada <ada@example.org>',
    message: 'change\n',
  });
  expect(Math.abs((read?.at ?? 0) - Date.now())).toBeLessThan(60_000);
  expect(await repo.commit('0'.repeat(40))).toBeNull();
  expect(await repo.commit(read?.tree ?? '')).toBeNull();
  expect(await repo.pathOid(commit, '.')).toBe(read?.tree);
});

test('blobs: sizes are asked first, absent ones are missing, many come in one exchange', async () => {
  const files: Record<string, string> = { big: 'x'.repeat(5000) };
  for (let n = 0; n < 40; n += 1) files[`dir/f${n}`] = `text ${n}\n`;
  const { repo, commit } = await bareWith(files);
  const entries = await repo.list(commit);
  const oids = entries.map((entry) => entry.oid);

  const all = await repo.read([...oids, 'f'.repeat(40)], 4096);
  const few = await repo.read(oids.slice(1, 3), 4096);

  expect(all.get(entries[0]?.oid ?? '')).toBe('too-large');
  expect(all.get('f'.repeat(40))).toBe('missing');
  expect(Buffer.from(all.get(oids[5] ?? '') as Uint8Array).toString()).toMatch(/^text \d+\n$/);
  for (const oid of oids.slice(1, 3)) {
    expect(Buffer.compare(few.get(oid) as Uint8Array, all.get(oid) as Uint8Array)).toBe(0);
  }
});

test('names that are not plain come through whole', async () => {
  const names = [
    'sp ace.yaml',
    'ümläut/日本.yaml',
    'tab\tname',
    'quo"te',
    'line\nbreak',
    'emoji-\u{1F600}',
    '\uFF5E',
  ];
  const { repo, commit } = await bareWith(Object.fromEntries(names.map((name) => [name, name])));

  const listed = await repo.list(commit);
  const changed = await repo.diff(null, commit);

  expect(listed.map((entry) => entry.path).toSorted()).toEqual(names.toSorted());
  expect(changed.map((change) => change.path)).toEqual(listed.map((entry) => entry.path));
});

test('history questions: ancestors and ranges, also when the old commit is gone', async () => {
  const { repo, commit } = await bareWith({ a: '1' });
  const second = await commitFiles(repo, commit, { a: '2' });
  const third = await commitFiles(repo, second, { a: '3' });

  expect(await repo.isAncestor(commit, third)).toBe(true);
  expect(await repo.isAncestor(third, commit)).toBe(false);
  expect(await repo.isAncestor('a'.repeat(40), third)).toBe(false);
  expect(await repo.range(commit, third, 10)).toEqual([third, second]);
  expect(await repo.range(null, third, 2)).toEqual([third, second]);
  expect(await repo.range('b'.repeat(40), third, 10)).toEqual([third, second, commit]);
});

test('a change on a moved branch is refused and leaves the branch alone; no change makes no commit', async () => {
  const { repo, commit } = await bareWith({ a: '1' });
  const second = await commitFiles(repo, commit, { a: '2' });

  const stale = await repo.commitChange({
    parent: commit,
    files: [{ path: 'a', text: '3' }],
    author: 'A <a@b>',
    message: 'm',
  });
  const same = await repo.commitChange({
    parent: second,
    files: [{ path: 'a', text: '2' }],
    author: 'A <a@b>',
    message: 'm',
  });
  const bad = await Promise.all(
    ['../x', '.git/config', '/abs', 'a/../b', 'x/.GIT/y', ''].map(
      async (file) =>
        await repo.commitChange({
          parent: second,
          files: [{ path: file, text: 'x' }],
          author: 'A',
          message: 'm',
        }),
    ),
  );

  expect(stale).toMatchObject({ ok: false, error: { code: 'ref-moved', retry: { kind: 'after', ms: 0 } } });
  expect(same).toEqual({ ok: true, value: second });
  expect(bad.map((result) => (result.ok ? null : result.error.code))).toEqual(bad.map(() => 'path-invalid'));
  expect(await repo.resolve('refs/heads/main')).toBe(second);
});

test('a checked-out work tree follows, and edits in the way are never lost', async () => {
  const dir = scratchDir();
  git(dir, ['init', '-q', '-b', 'main']);
  writeFileSync(path.join(dir, 'web.yaml'), 'one\n');
  writeFileSync(path.join(dir, 'other.yaml'), 'one\n');
  git(dir, ['add', '.']);
  git(dir, ['commit', '-qm', 'first']);
  const repo = await open(dir);
  const first = (await repo.resolve('HEAD')) ?? '';
  writeFileSync(path.join(dir, 'other.yaml'), 'mine\n');

  const second = await commitFiles(repo, first, { 'web.yaml': 'two\n' });
  const status = git(dir, ['status', '--porcelain']);
  writeFileSync(path.join(dir, 'web.yaml'), 'mine too\n');
  const refused = await repo.commitChange({
    parent: second,
    files: [{ path: 'web.yaml', text: 'three\n' }],
    author: 'A',
    message: 'm',
  });
  writeFileSync(path.join(dir, '.git', 'index.lock'), '');
  const locked = await repo.commitChange({
    parent: second,
    files: [{ path: 'new.yaml', text: 'x\n' }],
    author: 'A',
    message: 'm',
  });

  expect(repo.place.bare).toBe(false);
  expect(status).toBe(' M other.yaml\n');
  expect(refused).toMatchObject({ ok: false, error: { code: 'work-tree-dirty' } });
  expect(locked).toMatchObject({ ok: false, error: { code: 'work-tree-locked' } });
  expect(readFileSync(path.join(dir, 'web.yaml'), 'utf8')).toBe('mine too\n');
  expect(git(dir, ['rev-parse', 'HEAD']).trim()).toBe(second);
});

test('an executable stays one, a removed file is gone, and symlinks are entries like any other', async () => {
  const dir = scratchDir();
  git(dir, ['init', '-q', '-b', 'main']);
  writeFileSync(path.join(dir, 'run.sh'), 'x');
  chmodSync(path.join(dir, 'run.sh'), 0o755);
  writeFileSync(path.join(dir, 'gone'), 'x');
  symlinkSync('/etc/passwd', path.join(dir, 'link'));
  git(dir, ['add', '.']);
  git(dir, ['commit', '-qm', 'first']);
  const repo = await open(dir);
  const first = (await repo.resolve('HEAD')) ?? '';

  const second = await commitFiles(repo, first, { 'run.sh': 'y', gone: null });

  expect((await repo.list(second)).map((entry) => `${entry.mode} ${entry.path}`)).toEqual([
    '120000 link',
    '100755 run.sh',
  ]);
  expect((await repo.diff(first, second)).map((change) => [change.path, change.after === null])).toEqual([
    ['gone', true],
    ['run.sh', false],
  ]);
  expect(git(dir, ['status', '--porcelain'])).toBe('');
});

test('hostile trees are read as they are, without following or failing', async () => {
  const repo = await open(path.join(scratchDir(), 'intent.git'));
  const blob = git(repo.path, ['hash-object', '-w', '--stdin'], 'x').trim();
  const raw = (...entries: [string, string][]): string =>
    execFileSync('git', ['hash-object', '-t', 'tree', '-w', '--stdin', '--literally'], {
      cwd: repo.path,
      env: testEnvironment,
      input: Buffer.concat(
        entries.map(([mode, name]) =>
          Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(blob, 'hex')]),
        ),
      ),
    })
      .toString()
      .trim();
  const tree = raw(
    ['100644', '..'],
    ['100644', '.git'],
    ['120000', 'link'],
    ['100664', 'odd'],
    ['100644', 'odd'],
  );
  const commit = git(repo.path, ['commit-tree', tree, '-m', 'hostile']).trim();

  const listed = await repo.list(commit);
  const diffed = await repo.diff(
    git(repo.path, ['commit-tree', git(repo.path, ['mktree']).trim(), '-m', 'e']).trim(),
    commit,
  );

  expect(listed.map((entry) => entry.path)).toEqual(['..', '.git', 'link', 'odd', 'odd']);
  expect(diffed.map((change) => change.path)).toEqual(['..', '.git', 'link', 'odd']);
  expect(await repo.pathOid(commit, '../x')).toBeNull();
});

test('a linked work tree is followed through its common folder', async () => {
  const dir = scratchDir();
  const main = path.join(dir, 'main');
  mkdirSync(main);
  git(main, ['init', '-q', '-b', 'other']);
  writeFileSync(path.join(main, 'a'), '1');
  git(main, ['add', '.']);
  git(main, ['commit', '-qm', 'first']);
  git(main, ['worktree', 'add', '-q', '-b', 'main', path.join(dir, 'linked')]);
  const repo = await open(path.join(dir, 'linked'));
  const first = (await repo.resolve('refs/heads/main')) ?? '';

  const second = await commitFiles(repo, first, { a: '2' });

  expect((await repo.diff(first, second)).map((change) => change.path)).toEqual(['a']);
  expect(readFileSync(path.join(dir, 'linked', 'a'), 'utf8')).toBe('2');
});
