/** What refs and paths of a source mean, on real repositories: in place, as the intent repository, and behind a URL. */
import { renameSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSourceStore } from '../../../src/adapters/sources/source-store.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import { systemRandom } from '../../../src/adapters/system/random.ts';
import type { SourceStore } from '../../../src/ports.ts';
import { commit, repository, scratch } from './repositories.ts';
import { git } from '../../support/plain-git.ts';

const never = new AbortController().signal;
const log = { info: () => {}, warn: () => {}, error: () => {} };

function storeIn(dir: string, pollMs = 0): SourceStore {
  const intentGitDir = join(dir, 'intent/.git');
  return createSourceStore({
    dataDir: join(dir, 'data'),
    intentGitDir,
    clock: systemClock,
    random: systemRandom,
    log,
    pollMs,
  });
}

test('a branch, a tag, an annotated tag, a short and a full hash name their commit', async () => {
  using place = scratch();
  const repo = repository(join(place.dir, 'app'));
  const first = commit(repo, { 'a.txt': '1' });
  git(repo, 'tag', 'v1');
  git(repo, 'tag', '-a', 'v1-signed', '-m', 'first');
  const second = commit(repo, { 'a.txt': '2' });
  const store = storeIn(place.dir);

  const cases = [
    ['main', second, true],
    ['refs/heads/main', second, true],
    ['HEAD', second, true],
    ['v1', first, false],
    ['v1-signed', first, false],
    [first.slice(0, 8), first, false],
    [first, first, false],
  ] as const;
  for (const [ref, expected, followed] of cases) {
    const found = await store.resolve({ repo, ref, path: '.' }, 'unused', never);
    expect(found, ref).toMatchObject({
      ok: true,
      value: { commit: expected, followed, gitDir: join(repo, '.git') },
    });
  }
});

test('the tree is that of the path, and a path that is missing or a file is refused', async () => {
  using place = scratch();
  const repo = repository(join(place.dir, 'app'));
  commit(repo, { 'web/src/a.txt': '1', 'b.txt': '2' });
  const store = storeIn(place.dir);
  const tree = git(repo, 'rev-parse', 'HEAD:web/src');

  for (const path of ['web/src', './web/src/', 'web//src']) {
    expect(await store.resolve({ repo, ref: 'main', path }, '', never)).toMatchObject({
      ok: true,
      value: { tree },
    });
  }
  for (const path of ['gone', 'b.txt', '../up', '/etc', 'a\nb']) {
    expect(await store.resolve({ repo, ref: 'main', path }, '', never)).toMatchObject({
      ok: false,
      error: { code: 'source-path-missing', retry: { kind: 'never' } },
    });
  }
});

test('names that are unknown, or more than a name, are refused without harm', async () => {
  using place = scratch();
  const repo = repository(join(place.dir, 'app'));
  commit(repo, { 'a.txt': '1' });
  const store = storeIn(place.dir);

  for (const ref of [
    'nope',
    'f'.repeat(40),
    'main~1',
    'main:a.txt',
    '--all',
    '@{-1}',
    'a..b',
    'x\nmain',
    '',
    '*',
  ]) {
    expect(await store.resolve({ repo, ref, path: '.' }, '', never), ref).toMatchObject({
      ok: false,
      error: { code: 'unknown-commit', retry: { kind: 'never' } },
    });
  }
});

test('the intent repository without a ref is the commit being deployed', async () => {
  using place = scratch();
  const intent = repository(join(place.dir, 'intent'));
  const first = commit(intent, { 'app/run.sh': '1' });
  commit(intent, { 'app/run.sh': '2' });
  const store = storeIn(place.dir);

  const found = await store.resolve({ repo: '.', ref: null, path: 'app' }, first, never);

  const tree = git(intent, 'rev-parse', `${first}:app`);
  expect(found).toMatchObject({ ok: true, value: { commit: first, tree, followed: false } });
});

test('a folder without a repository is unreachable, and tried again', async () => {
  using place = scratch();
  const store = storeIn(place.dir);

  expect(await store.resolve({ repo: place.dir, ref: 'main', path: '.' }, '', never)).toMatchObject({
    ok: false,
    error: { code: 'source-unreachable', retry: { kind: 'after', ms: 15_000 } },
  });
});

test('a linked work tree and a bare repository are read in place', async () => {
  using place = scratch();
  const repo = repository(join(place.dir, 'app'));
  const head = commit(repo, { 'a.txt': '1' });
  git(repo, 'worktree', 'add', '-q', join(place.dir, 'linked'), '-b', 'side');
  git(place.dir, 'clone', '-q', '--bare', repo, join(place.dir, 'bare.git'));
  const store = storeIn(place.dir);

  for (const dir of ['linked', 'bare.git']) {
    const found = await store.resolve({ repo: join(place.dir, dir), ref: 'main', path: '.' }, '', never);
    expect(found, dir).toMatchObject({ ok: true, value: { commit: head } });
  }
});

test('a URL is mirrored, followed, and a commit that is here needs no network', async () => {
  using place = scratch();
  const repo = repository(join(place.dir, 'app'));
  const first = commit(repo, { 'a.txt': '1' });
  const url = `file://${repo}`;
  const store = storeIn(place.dir);

  expect(await store.resolve({ repo: url, ref: 'main', path: '.' }, '', never)).toMatchObject({
    ok: true,
    value: { commit: first, followed: true },
  });
  const second = commit(repo, { 'a.txt': '2' });
  git(repo, 'tag', 'v2');
  expect(await store.resolve({ repo: url, ref: second, path: '.' }, '', never)).toMatchObject({ ok: true });
  expect(await store.resolve({ repo: url, ref: 'v2', path: '.' }, '', never)).toMatchObject({
    ok: true,
    value: { commit: second, followed: false },
  });

  renameSync(repo, `${repo}-away`);
  const offline = storeIn(place.dir);
  expect(await offline.resolve({ repo: url, ref: first, path: '.' }, '', never)).toMatchObject({ ok: true });
  expect(await offline.resolve({ repo: url, ref: 'main', path: '.' }, '', never)).toMatchObject({
    ok: false,
    error: { code: 'source-unreachable' },
  });
});

test('a commit that no ref leads to is asked for by its hash', async () => {
  using place = scratch();
  const repo = repository(join(place.dir, 'app'));
  commit(repo, { 'a.txt': '1' });
  const lost = commit(repo, { 'a.txt': '2' });
  git(repo, 'reset', '-q', '--hard', 'HEAD~1');
  git(repo, 'config', 'uploadpack.allowAnySHA1InWant', 'true');

  const found = await storeIn(place.dir).resolve({ repo: `file://${repo}`, ref: lost, path: '.' }, '', never);

  expect(found).toMatchObject({ ok: true, value: { commit: lost } });
});

test('credentials in a URL and helper programs never get through', async () => {
  using place = scratch();
  const store = storeIn(place.dir);
  const marker = join(place.dir, 'ran');

  const url = 'http://me:hunter2@127.0.0.1:1/x.git';
  const answer = await store.resolve({ repo: url, ref: 'main', path: '.' }, '', never);
  const helper = await store.resolve({ repo: `ext::touch ${marker}`, ref: 'main', path: '.' }, '', never);
  const option = await store.resolve(
    { repo: `--upload-pack=touch ${marker}`, ref: 'main', path: '.' },
    '',
    never,
  );

  expect(answer).toMatchObject({ ok: false, error: { code: 'source-unreachable' } });
  expect(JSON.stringify(answer)).not.toContain('hunter2');
  for (const refused of [helper, option])
    expect(refused).toMatchObject({ error: { code: 'source-unreachable' } });
  expect(() => writeFileSync(marker, '', { flag: 'wx' })).not.toThrow();
});

test('an aborted wait ends at once', async () => {
  using place = scratch();
  const repo = repository(join(place.dir, 'app'));
  commit(repo, { 'a.txt': '1' });

  const found = await storeIn(place.dir).resolve({ repo, ref: 'main', path: '.' }, '', AbortSignal.abort());

  expect(found).toMatchObject({ ok: false, error: { code: 'aborted' } });
});

test('who is called off does not wait for a server that keeps others waiting', async () => {
  using place = scratch();
  const store = storeIn(place.dir);
  const silent = createServer((socket) => socket.resume().on('error', () => {}));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const source = { repo: `http://127.0.0.1:${port}/x.git`, ref: 'main', path: '.' };
  const first = new AbortController();
  const second = new AbortController();

  const asked = new Promise((resolve) => silent.once('connection', resolve));
  const answers = [
    store.resolve(source, '', first.signal),
    store.resolve(source, '', second.signal),
  ] as const;
  await asked;
  second.abort();
  expect(await answers[1]).toMatchObject({ ok: false, error: { code: 'aborted' } });
  first.abort();
  expect(await answers[0]).toMatchObject({ ok: false, error: { code: 'aborted' } });

  await new Promise((resolve) => silent.close(resolve));
});
