import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { openIsoObjects } from '../../../src/adapters/git/iso-objects.ts';
import { openObjectBatch } from '../../../src/adapters/git/object-batch.ts';
import { comparePaths, parseCommit, parseTree } from '../../../src/adapters/git/object-format.ts';
import { diffTrees } from '../../../src/adapters/git/tree-diff.ts';
import { createNoteWriter } from '../../../src/adapters/git/notes.ts';
import type { TreeChange } from '../../../src/ports.ts';
import { atEnd, git, open, scratchDir } from './scratch.ts';

type Files = Record<string, { text: string; mode: string }>;

const name = fc.constantFrom('a', 'b', 'a.b', 'a-', 'ü', '日', '~', 'Z z', '\u{1F600}', '\uFF5E');
const file = fc.record({
  text: fc.constantFrom('', 'one', 'two\n'),
  mode: fc.constantFrom('100644', '100755', '120000'),
});
const tree: fc.Arbitrary<Files> = fc
  .array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), file), { maxLength: 12 })
  .map((entries) => {
    const files: Files = {};
    for (const [parts, entry] of entries) {
      const full = parts.join('/');
      // A path cannot be a file and a folder at once.
      const clashes = Object.keys(files).some(
        (known) => known.startsWith(`${full}/`) || full.startsWith(`${known}/`),
      );
      if (!clashes) files[full] = entry;
    }
    return files;
  });

let branches = 0;

function commitOf(repo: string, files: Files): string {
  const entries = Object.entries(files)
    .map(
      ([full, { text, mode }]) =>
        `M ${mode} inline ${JSON.stringify(full)}\ndata ${Buffer.byteLength(text)}\n${text}\n`,
    )
    .join('');
  // A ref of its own for each: repacking drops what no ref reaches.
  branches += 1;
  const header = `commit refs/heads/x${branches}\nmark :1\ncommitter A <a@b> 1 +0000\ndata 0\n`;
  return git(repo, ['fast-import', '--quiet', '--force'], `${header}${entries}\nget-mark :1\n`).trim();
}

/** What stock git says that differs, in the form and order of ours. */
function diffOfGit(repo: string, from: string, to: string): TreeChange[] {
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--full-index', from, to];
  const fields = git(repo, args).split('\0');
  const side = (oid: string): string | null => (/^0+$/.test(oid) ? null : oid);
  const changes: TreeChange[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [oldMode = '', mode = '', before = '', after = ''] = (fields[at] ?? '').slice(1).split(' ');
    changes.push({
      path: fields[at + 1] ?? '',
      before: side(before),
      after: side(after),
      mode: mode === '000000' ? oldMode : mode,
    });
  }
  return changes.toSorted((a, b) => comparePaths(a.path, b.path));
}

test('both readers say the same of random trees, and the diff is the one that git makes', async () => {
  const repo = await open(path.join(scratchDir(), 'intent.git'));
  const batch = openObjectBatch(repo.git);
  atEnd(() => batch.close());
  const iso = await openIsoObjects(repo.place.gitDir);
  const isoTree = async (oid: string): Promise<ReturnType<typeof parseTree>> =>
    parseTree((await iso.read(oid))?.bytes ?? new Uint8Array([1]));
  const gitTree = async (oid: string): Promise<ReturnType<typeof parseTree>> =>
    parseTree((await batch.contents([oid]))[0]?.bytes ?? new Uint8Array([1]));
  let repacks = 0;

  await fc.assert(
    fc.asyncProperty(tree, tree, async (one, two) => {
      const [from, to] = [commitOf(repo.path, one), commitOf(repo.path, two)];
      repacks += 1;
      if (repacks % 10 === 0) git(repo.path, ['repack', '-adq']);
      const [a, b] = [await repo.commit(from), await repo.commit(to)];
      const [raw] = await batch.contents([to]);

      const byIso = await diffTrees(isoTree, a?.tree ?? null, b?.tree ?? null);
      const byGit = await diffTrees(gitTree, a?.tree ?? null, b?.tree ?? null);
      const quarantine = { objectDirectory: path.join(repo.path, 'objects'), alternates: '' };

      expect(parseCommit(to, raw?.bytes ?? new Uint8Array())).toEqual(b);
      expect(byIso).toEqual(byGit);
      expect(byIso).toEqual(diffOfGit(repo.path, from, to));
      expect(byIso).toEqual(await repo.diff(from, to, quarantine));
      expect(byIso).toEqual(await repo.diff(from, to));
      const listed = await repo.list(to);
      expect(await repo.diff(null, to)).toEqual(await diffTrees(isoTree, null, b?.tree ?? null));
      expect(listed.map((entry) => entry.path)).toHaveLength(Object.keys(two).length);
      for (const entry of listed) expect(await repo.pathOid(to, entry.path)).toBe(entry.oid);
    }),
    { numRuns: 40 },
  );
}, 60_000);

test('a large repository is read in bulk and compared in milliseconds', async () => {
  const repo = await open(path.join(scratchDir(), 'intent.git'));
  const files: Files = {};
  for (let n = 0; n < 10_000; n += 1)
    files[`g${n % 100}/app-${n}.yaml`] = { text: `kind: App\nname: app-${n}\n`, mode: '100644' };
  const from = commitOf(repo.path, files);
  files['g7/app-1007.yaml'] = { text: 'changed\n', mode: '100644' };
  const to = commitOf(repo.path, files);
  await repo.diff(from, to);

  const start = performance.now();
  const entries = await repo.list(to);
  const blobs = await repo.read(
    entries.map((entry) => entry.oid),
    100_000,
  );
  const bulkMs = performance.now() - start;
  const times: number[] = [];
  for (let n = 0; n < 9; n += 1) {
    const before = performance.now();
    expect((await repo.diff(from, to)).map((change) => change.path)).toEqual(['g7/app-1007.yaml']);
    times.push(performance.now() - before);
  }

  expect([entries.length, blobs.size]).toEqual([10_000, 10_000]);
  expect(bulkMs).toBeLessThan(10_000);
  expect(times.toSorted((a, b) => a - b)[4]).toBeLessThan(300);
}, 60_000);

test('reads go on while the repository is written, repacked and pruned', async () => {
  const repo = await open(path.join(scratchDir(), 'intent.git'));
  const notes = createNoteWriter(repo);
  let parent: string | null = null;
  const commits: string[] = [];
  for (let n = 0; n < 30; n += 1) {
    const made = await repo.commitChange({
      parent,
      files: [{ path: 'a/b.yaml', text: `${n}` }],
      author: 'A <a@b>',
      message: `${n}`,
    });
    if (!made.ok) throw new Error(made.error.message);
    parent = made.value;
    commits.push(made.value);
    // A repack may itself trip over what is written meanwhile; it must never harm that.
    const repack = n % 2 === 1 ? repo.git.run(['repack', '-adq']) : Promise.resolve();
    const [write] = await Promise.all([
      notes.write([{ commit: made.value, text: `state: converged\nn: ${n}\n` }]),
      repack,
      ...commits.slice(-4).map(async (commit) => {
        const changes = await repo.diff(commits[0] ?? '', commit);
        const blobs = await repo.read(
          changes.map((change) => change.after ?? ''),
          100,
        );
        expect([...blobs.values()].filter((blob) => typeof blob === 'string')).toEqual([]);
        expect((await repo.commit(commit))?.oid).toBe(commit);
      }),
    ]);
    expect(write).toEqual({ ok: true });
  }

  git(repo.path, ['fsck', '--connectivity-only']);
  expect(await notes.maintain(new AbortController().signal)).toBe(false);
  expect((await notes.list()).map((note) => note.commit).toSorted()).toEqual(commits.toSorted());
}, 60_000);

/** Process id of the `cat-file` that this repository's reader keeps. */
function readerOf(repo: string): number {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  const args = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  };
  return Number(pids.find((pid) => args(pid).includes(repo) && args(pid).includes('--batch-command')));
}

test.skipIf(!existsSync('/proc/self'))('a reader process that dies is started again', async () => {
  const repo = await open(path.join(scratchDir(), 'intent.git'));
  const oid = git(repo.path, ['hash-object', '-w', '--stdin'], 'x').trim();
  await repo.objects.batch.heads([oid]);

  process.kill(readerOf(repo.path), 'SIGKILL');

  expect((await repo.objects.batch.heads([oid]))[0]?.oid).toBe(oid);
  expect(
    (await repo.objects.batch.heads([oid, 'HEAD:nope', 'f'.repeat(40)])).map((head) => head?.size ?? null),
  ).toEqual([1, null, null]);
});
