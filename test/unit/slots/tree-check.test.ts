/** What a tree may not bring into a slot, and that checking it out runs nothing of the repository. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import fc from 'fast-check';
import { leavesTree } from '../../../src/adapters/slots/link-target.ts';
import { bench, checkedOut, never } from './bench.ts';
import { git } from '../../support/plain-git.ts';

test.each([
  ['absolute', { link: '-> /etc/passwd' }],
  ['upward', { 'a/link': '-> ../../outside' }],
  ['over another link', { 'p/q/up': '-> ../..', link: '-> p/q/up/..' }],
] as const)('a symlink that leaves the slot is refused: %s', async (_how, files) => {
  using b = bench();
  const version = b.commit(files);

  const done = await b.store().checkout({ app: 'web', version, slot: 'slot-a', sharedDirs: [] }, never);

  expect(done).toMatchObject({ ok: false, error: { code: 'slot-unsafe-symlink', retry: { kind: 'never' } } });
});

test('links that stay inside, dangle or turn in a circle are fine', () => {
  const links = new Map([
    ['a/in', '../b/file'],
    ['gone', 'nowhere/at/all'],
    ['x', 'y'],
    ['y', 'x'],
    ['deep/up', '..'],
  ]);
  for (const path of links.keys()) expect(leavesTree(path, links), path).toBe(false);
});

test('a chain of links without any upward step never leaves', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(fc.array(fc.tuple(path, path), { maxLength: 6 }), (pairs) => {
      const links = new Map(pairs);
      return [...links.keys()].every((link) => !leavesTree(link, links));
    }),
  );
});

test('submodules and LFS pointers are refused with the path', async () => {
  using b = bench();
  b.commit({ 'a.txt': '1' });
  git(b.repo, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},lib/sub`);
  git(b.repo, 'commit', '-q', '-m', 'sub');
  const submodule = b.version();
  const pointer = b.commit({
    '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
    'big.bin': `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`,
  });

  for (const [version, code, path] of [
    [submodule, 'slot-submodule', 'lib/sub'],
    [pointer, 'slot-lfs-pointer', 'big.bin'],
  ] as const) {
    const done = await b.store().checkout({ app: 'web', version, slot: 'slot-a', sharedDirs: [] }, never);
    expect(done).toMatchObject({ ok: false, error: { code, details: { path } } });
  }
});

test('line endings follow .gitattributes, and neither hooks nor filters of the repository run', async () => {
  using b = bench();
  const version = b.commit({
    '.gitattributes': '*.crlf text eol=crlf\n*.f filter=evil\n',
    'a.crlf': '1\n2\n',
    'b.f': 'x',
  });
  const marker = join(b.dir, 'ran');
  git(b.repo, 'config', 'filter.evil.smudge', `touch ${marker}; cat`);
  git(b.repo, 'config', 'core.fsmonitor', `touch ${marker}`);
  writeFileSync(join(b.repo, '.git/hooks/post-checkout'), `#!/bin/sh\ntouch ${marker}\n`);
  chmodSync(join(b.repo, '.git/hooks/post-checkout'), 0o755);

  const dir = await checkedOut(b.store(), 'slot-a', version);

  expect(readFileSync(join(dir, 'a.crlf'), 'utf8')).toBe('1\r\n2\r\n');
  expect(readFileSync(join(dir, 'b.f'), 'utf8')).toBe('x');
  expect(existsSync(marker)).toBe(false);
  expect(await b.store().intact('web', 'slot-a')).toBe(true);
});

test('a repository that hashes with SHA-256 is checked out as well', async () => {
  using b = bench();
  const repo = join(b.dir, 'wide');
  git(b.dir, 'init', '-q', '--object-format=sha256', '-b', 'main', repo);
  writeFileSync(join(repo, 'a.txt'), 'wide');
  git(repo, 'add', '-A');
  git(repo, 'commit', '-q', '-m', 'one');
  const version = {
    ...b.commit({ x: '1' }),
    commit: git(repo, 'rev-parse', 'HEAD'),
    tree: git(repo, 'rev-parse', 'HEAD^{tree}'),
    gitDir: join(repo, '.git'),
  };

  const dir = await checkedOut(b.store(), 'slot-a', version);

  expect(readFileSync(join(dir, 'a.txt'), 'utf8')).toBe('wide');
  expect(await b.store().intact('web', 'slot-a')).toBe(true);
});
