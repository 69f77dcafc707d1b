/** The life of an app's folders on a real disk with real git: checkout, promotion, roll back, tidy, abandon. */
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDiskFiles } from '../../../src/adapters/slots/files.ts';
import { bench, checkedOut, deploy, never, place, record, unsynced } from './bench.ts';

function read(...parts: readonly string[]): string {
  return readFileSync(join(...parts), 'utf8');
}

function slotsIn(app: string): readonly string[] {
  return readdirSync(app)
    .filter((name) => name.startsWith('slot-'))
    .toSorted();
}

test('a checkout holds the files of the path, executable bits and inner symlinks, and no git', async () => {
  using b = bench();
  b.commit({
    'web/run.sh': '#!/bin/sh\n',
    'web/lib/a.txt': 'a',
    'web/to-a': '-> lib/a.txt',
    'other/x.txt': 'x',
  });

  const dir = await checkedOut(b.store(), 'slot-aaaaaaaa', b.version('web'));

  expect(readdirSync(dir).toSorted()).toEqual(['lib', 'run.sh', 'to-a']);
  expect(lstatSync(join(dir, 'run.sh')).mode & 0o111).not.toBe(0);
  expect(read(dir, 'to-a')).toBe('a');
});

test('A then B then C leaves live, previous and staging, with links that follow', async () => {
  using b = bench();
  const store = b.store();
  for (const name of ['a', 'b', 'c']) {
    const version = b.commit({ 'v.txt': name });
    await deploy(store, `slot-${name}`, version);
  }

  expect(slotsIn(b.app)).toEqual(['slot-b', 'slot-c', 'slot-staging']);
  expect(readlinkSync(join(b.app, 'live'))).toBe('slot-c');
  expect(readlinkSync(join(b.app, 'prev'))).toBe('slot-b');
  expect(await store.links('web')).toMatchObject({ live: { slot: 'slot-c' }, previous: { slot: 'slot-b' } });
  expect(await store.apps()).toEqual(['web']);
});

test('promoting the previous slot swaps the roles', async () => {
  using b = bench();
  const store = b.store({ files: createDiskFiles({}) });
  const a = b.commit({ 'v.txt': 'a' });
  await deploy(store, 'slot-a', a);
  await deploy(store, 'slot-b', b.commit({ 'v.txt': 'b' }));

  const links = await store.promote('web', record('slot-a', a, 7));

  expect(links).toMatchObject({ live: { slot: 'slot-a', promotedAt: 7 }, previous: { slot: 'slot-b' } });
  expect(readlinkSync(join(b.app, 'live'))).toBe('slot-a');
  expect(await store.intact('web', 'slot-a')).toBe(true);
  expect(await b.store().links('web')).toEqual(links);
});

test('what a build made is carried on, and tracked files that are gone or changed follow the new commit', async () => {
  using b = bench();
  const store = b.store();
  const first = await checkedOut(
    store,
    'slot-a',
    b.commit({ 'keep.txt': '1', 'gone.txt': 'x', 'dir/gone.txt': 'x' }),
  );
  place(join(first, 'node_modules/dep/index.js'), 'dep');
  place(join(first, 'dir/cache.bin'), 'cache');
  writeFileSync(join(first, 'keep.txt'), 'changed by setup');
  rmSync(join(first, 'gone.txt'));
  await store.promote('web', record('slot-a', b.version()));
  await store.tidy('web');

  const second = await checkedOut(store, 'slot-b', b.commit({ 'keep.txt': '1', 'new.txt': 'n' }));

  expect(read(second, 'keep.txt')).toBe('1');
  expect(read(second, 'new.txt')).toBe('n');
  expect(existsSync(join(second, 'gone.txt'))).toBe(false);
  expect(existsSync(join(second, 'dir/gone.txt'))).toBe(false);
  expect(read(second, 'dir/cache.bin')).toBe('cache');
  expect(read(second, 'node_modules/dep/index.js')).toBe('dep');
  expect(read(first, 'keep.txt')).toBe('changed by setup');
});

test('a file takes the place of an artefact folder, and a folder that of an artefact link', async () => {
  using b = bench();
  const store = b.store();
  const first = await checkedOut(store, 'slot-a', b.commit({ 'a.txt': '1' }));
  place(join(first, 'out/deep/x'), 'artefact');
  place(join(b.dir, 'elsewhere/x'), 'not ours');
  place(join(first, 'conf'), `-> ${join(b.dir, 'elsewhere')}`);
  await store.abandon('web', 'slot-a');

  const second = await checkedOut(store, 'slot-b', b.commit({ out: 'file', 'conf/x': 'ours' }));

  expect(read(second, 'out')).toBe('file');
  expect(read(second, 'conf/x')).toBe('ours');
  expect(read(b.dir, 'elsewhere/x')).toBe('not ours');
});

test('an abandoned slot becomes staging and keeps what it built; live and previous cannot be abandoned', async () => {
  using b = bench();
  const store = b.store();
  await deploy(store, 'slot-a', b.commit({ 'a.txt': '1' }));
  const failed = await checkedOut(store, 'slot-b', b.commit({ 'a.txt': '2' }));
  place(join(failed, 'built.bin'), 'b');

  await store.abandon('web', 'slot-b');
  await store.abandon('web', 'slot-a');

  expect(slotsIn(b.app)).toEqual(['slot-a', 'slot-staging']);
  const next = await checkedOut(store, 'slot-c', b.commit({ 'a.txt': '3' }));
  expect(read(next, 'built.bin')).toBe('b');
  expect(read(next, 'a.txt')).toBe('3');
});

test('tidy leaves the slot that a deploy works on alone', async () => {
  using b = bench();
  const store = b.store();
  await deploy(store, 'slot-a', b.commit({ 'a.txt': '1' }));
  const working = await checkedOut(store, 'slot-b', b.commit({ 'a.txt': '2' }));

  await store.tidy('web');

  expect(existsSync(working)).toBe(true);
  expect(slotsIn(b.app)).toEqual(['slot-a', 'slot-b', 'slot-staging']);
});

test('intact notices a changed, a removed and a missing slot, and not what setup did before the promotion', async () => {
  using b = bench();
  const store = b.store();
  const version = b.commit({ 'a.txt': '1', 'lock.json': '{}' });
  const dir = await checkedOut(store, 'slot-a', version);
  writeFileSync(join(dir, 'lock.json'), '{"by":"setup"}');
  await store.promote('web', record('slot-a', version));
  expect(await store.intact('web', 'slot-a')).toBe(true);

  rmSync(b.repo, { recursive: true });
  writeFileSync(join(dir, 'artefact.bin'), 'x');
  expect(await store.intact('web', 'slot-a')).toBe(true);

  writeFileSync(join(dir, 'a.txt'), '2');
  expect(await store.intact('web', 'slot-a')).toBe(false);
  writeFileSync(join(dir, 'a.txt'), '1');
  expect(await store.intact('web', 'slot-a')).toBe(true);
  writeFileSync(join(dir, 'lock.json'), '{"by":"someone else"}');
  expect(await store.intact('web', 'slot-a')).toBe(false);
  expect(await store.intact('web', 'slot-none')).toBe(false);
});

test('a name in use, and a tree that is not there, are refused and staging is as it was', async () => {
  using b = bench();
  const store = b.store();
  const version = b.commit({ 'a.txt': '1' });
  await deploy(store, 'slot-a', version);
  place(join(b.app, 'slot-staging/artefact'), 'x');

  const used = await store.checkout({ app: 'web', version, slot: 'slot-a', sharedDirs: [] }, never);
  const missing = { ...version, tree: 'f'.repeat(40), commit: 'f'.repeat(40) };
  const unknown = await store.checkout(
    { app: 'web', version: missing, slot: 'slot-b', sharedDirs: [] },
    never,
  );

  expect(used).toMatchObject({ ok: false, error: { code: 'slot-in-use' } });
  expect(unknown).toMatchObject({
    ok: false,
    error: { code: 'checkout-failed', retry: { kind: 'backoff' } },
  });
  const next = await checkedOut(store, 'slot-c', version);
  expect(read(next, 'artefact')).toBe('x');
});

test('shared folders outlive versions, begin with what the tree holds, and end with their declaration', async () => {
  using b = bench();
  const store = b.store();
  const version = b.commit({ 'data/first.txt': 'from git', 'a.txt': '1' });
  const first = await checkedOut(store, 'slot-a', version, ['data', 'var/up/']);
  expect(read(first, 'data/first.txt')).toBe('from git');
  writeFileSync(join(first, 'data/user.txt'), 'precious');
  writeFileSync(join(first, 'var/up/u.bin'), 'u');
  await store.promote('web', record('slot-a', version));
  expect(await store.intact('web', 'slot-a')).toBe(true);
  await store.tidy('web');

  const second = await checkedOut(store, 'slot-b', b.commit({ 'data/first.txt': 'newer', 'a.txt': '2' }), [
    'data',
  ]);
  expect(read(second, 'data/user.txt')).toBe('precious');
  expect(read(second, 'data/first.txt')).toBe('from git');
  expect(existsSync(join(second, 'var/up'))).toBe(false);
  await store.abandon('web', 'slot-b');
  const third = await checkedOut(store, 'slot-c', b.version(), []);
  expect(readdirSync(join(third, 'data'))).toEqual(['first.txt']);
  expect(read(third, 'data/first.txt')).toBe('newer');

  await store.remove('web');
  expect(read(b.app, 'shared/data/user.txt')).toBe('precious');
  expect(read(b.app, 'shared/data/first.txt')).toBe('from git');
  expect(slotsIn(b.app)).toEqual([]);
  expect(await store.apps()).toEqual([]);
});

test('shared folders that lead out of the slot are refused', async () => {
  using b = bench();
  const store = b.store();
  const version = b.commit({ real: 'x', linked: '-> .' });

  for (const dir of ['../up', '/abs', '.', '', 'a/../..', 'linked/x']) {
    const done = await store.checkout({ app: 'web', version, slot: 'slot-a', sharedDirs: [dir] }, never);
    expect(done, dir).toMatchObject({ ok: false, error: { code: 'shared-dir-invalid' } });
  }
});

test('a checkout waits for a running copy of live, and cuts it short when that takes too long', async () => {
  using b = bench();
  const copying = Promise.withResolvers<void>();
  const store = b.store({
    takeOverMs: 20,
    files: {
      ...unsynced,
      copyTree: (_from, _to, signal) =>
        new Promise((resolve) => {
          copying.resolve();
          signal.addEventListener('abort', () => resolve(false));
        }),
    },
  });
  await checkedOut(store, 'slot-a', b.commit({ 'a.txt': '1' }));
  await store.promote('web', record('slot-a', b.version()));
  const tidied = store.tidy('web');
  await copying.promise;

  const second = await checkedOut(store, 'slot-b', b.commit({ 'a.txt': '2' }));

  await tidied;
  expect(read(second, 'a.txt')).toBe('2');
});

test('a cancelled checkout gives up, and the next one works', async () => {
  using b = bench();
  const store = b.store();
  const version = b.commit({ 'a.txt': '1' });

  const done = await store.checkout(
    { app: 'web', version, slot: 'slot-a', sharedDirs: [] },
    AbortSignal.abort(),
  );

  expect(done).toMatchObject({ ok: false, error: { code: 'aborted' } });
  expect(existsSync(await checkedOut(store, 'slot-a', version))).toBe(true);
});

test('of a checkout that was ended half-way no file shows up in the next version', async () => {
  using b = bench();
  const store = b.store();
  const many = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, n) => [`d${n % 50}/f${n}.txt`, String(n)]),
  );
  const big = b.commit(many);
  const small = b.commit({ 'a.txt': '1' });
  const abort = new AbortController();
  const staging = store.stagingDir('web');
  let over = false;
  const watching = (async () => {
    while (!over && !existsSync(join(staging, 'd1'))) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
  })();

  const done = await store.checkout(
    { app: 'web', version: big, slot: 'slot-a', sharedDirs: [] },
    abort.signal,
  );
  over = true;
  await watching;

  // On a busy machine it may be done before we saw it begin; then it is given back, which must hold as well.
  if (done.ok) await store.abandon('web', 'slot-a');
  else expect(done.error.code).toBe('aborted');
  expect(readdirSync(await checkedOut(store, 'slot-b', small))).toEqual(['a.txt']);
}, 60_000);

test('the output of old setup commands is swept away, the newest stays', async () => {
  using b = bench();
  const store = b.store();
  for (let n = 0; n < 25; n += 1) {
    const path = join(b.app, 'logs', `slot-${n}.setup.log`);
    place(path, 'x');
    utimesSync(path, n, n);
  }
  place(join(b.app, 'logs/other.log'), 'x');

  await store.tidy('web');

  const left = readdirSync(join(b.app, 'logs'));
  expect(left).toHaveLength(21);
  expect(left).toEqual(expect.arrayContaining(['other.log', 'slot-24.setup.log', 'slot-5.setup.log']));
});
