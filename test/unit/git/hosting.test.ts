import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { createHookServer } from '../../../src/adapters/git/hook-server.ts';
import type { GitRepository } from '../../../src/adapters/git/repository.ts';
import type { PushGate, PushRequest } from '../../../src/model/push.ts';
import { accept, commitIn, host, push, run, texts } from './host.ts';
import type { Host } from './host.ts';
import { atEnd, git, scratchDir, silent, until } from './scratch.ts';

const ways = ['http', 'path'] as const;
const target = (hosted: Host, way: 'http' | 'path'): string =>
  way === 'http' ? hosted.url : hosted.repo.path;

test.each(ways)('a push by %s is checked, moves the ref, is followed, and can be cloned', async (way) => {
  const seen: [string, PushRequest][] = [];
  const gate: PushGate = {
    check: async (request) => {
      seen.push(['check', request]);
      return await Promise.resolve(true);
    },
    follow: async (request, print) => {
      seen.push(['follow', request]);
      print('converged');
      return await Promise.resolve();
    },
  };
  const hosted = await host(gate);
  const commit = git(hosted.clone, ['rev-parse', 'HEAD']).trim();

  const pushed = push(hosted.clone, target(hosted, way));

  expect([await pushed.ended, texts(pushed).includes('remote: converged')]).toEqual([0, true]);
  expect(seen.map(([hook]) => hook)).toEqual(['check', 'follow']);
  expect(seen[0]?.[1]).toMatchObject({ updates: [{ ref: 'refs/heads/main', before: null, after: commit }] });
  expect(seen[0]?.[1].quarantine?.objectDirectory).toContain(hosted.repo.path);
  expect(seen[1]?.[1].quarantine).toBeNull();
  if (way === 'http') expect(seen[0]?.[1].by).toBe('token-name');
  expect(await hosted.repo.resolve('refs/heads/main')).toBe(commit);
  await run(hosted.dir, ['clone', '-q', target(hosted, way), 'copy']);
  expect(git(path.join(hosted.dir, 'copy'), ['rev-parse', 'HEAD']).trim()).toBe(commit);
});

test.each(ways)(
  'a refusal by %s shows its lines as they are, carets and all, and moves nothing',
  async (way) => {
    const gate: PushGate = {
      ...accept,
      check: async (_, print) => {
        print('web.yaml:1:3: error bad-type: must be a number\n  1 | port: many\n    |       ^^^^');
        print('\u001b[31mred\u001b[0m\tand\u0007 loud \\n %s');
        return await Promise.resolve(false);
      },
    };
    const hosted = await host(gate);

    const pushed = push(hosted.clone, target(hosted, way));

    expect(await pushed.ended).toBe(1);
    expect(texts(pushed)).toContain('remote: web.yaml:1:3: error bad-type: must be a number');
    expect(texts(pushed)).toContain('remote:     |       ^^^^');
    expect(texts(pushed)).toContain('remote: red\tand loud \\n %s');
    expect(texts(pushed)).toContain('pre-receive hook declined');
    expect(await hosted.repo.resolve('refs/heads/main')).toBeNull();
  },
);

test.each(ways)(
  'objects of a push by %s are readable while it is checked, as they are after it',
  async (way) => {
    const read: unknown[] = [];
    const repos: GitRepository[] = [];
    const gate: PushGate = {
      ...accept,
      check: async ({ updates, quarantine }) => {
        const repo = repos[0];
        const { before = null, after } = updates[0] ?? {};
        if (repo === undefined || !after || quarantine === null) return false;
        const changes = await repo.diff(before, after, quarantine);
        const blobs = await repo.read(
          changes.map((change) => change.after ?? ''),
          1000,
          quarantine,
        );
        read.push({
          outside: before === null ? await repo.commit(after) : null,
          subject: (await repo.commit(after, quarantine))?.message,
          listed: (await repo.list(after, quarantine)).map((entry) => entry.path),
          changes: changes.map((change) => change.path),
          text: Buffer.from([...blobs.values()][0] as Uint8Array).toString(),
          forward: before === null || (await repo.isAncestor(before, after, quarantine)),
        });
        return true;
      },
    };
    const hosted = await host(gate);
    repos.push(hosted.repo);

    const first = await push(hosted.clone, target(hosted, way)).ended;
    commitIn(hosted.clone, 'two');
    const second = await push(hosted.clone, target(hosted, way)).ended;

    const facts = { outside: null, listed: ['web.yaml'], changes: ['web.yaml'], forward: true };
    expect([first, second]).toEqual([0, 0]);
    expect(read).toEqual([
      { ...facts, subject: 'one\n', text: 'one' },
      { ...facts, subject: 'two\n', text: 'two' },
    ]);
  },
);

test.each(ways)('lines of a push by %s arrive as they are printed, not at the end', async (way) => {
  const steps = Promise.withResolvers<void>();
  const gate: PushGate = {
    ...accept,
    follow: async (_, print) => {
      print('first');
      await steps.promise;
      print('last');
    },
  };
  const hosted = await host(gate);

  const pushed = push(hosted.clone, target(hosted, way));
  await until(() => texts(pushed).includes('remote: first'));
  const early = texts(pushed);
  steps.resolve();

  expect(early).not.toContain('last');
  expect([await pushed.ended, texts(pushed).includes('remote: last')]).toEqual([0, true]);
});

test.each(ways)('a pusher by %s that is killed ends the printing and nothing else', async (way) => {
  const followed = Promise.withResolvers<AbortSignal>();
  const gate: PushGate = {
    ...accept,
    follow: async (_, print, signal) => {
      followed.resolve(signal);
      while (!signal.aborted) {
        print('still at it');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
  const hosted = await host(gate);
  const commit = git(hosted.clone, ['rev-parse', 'HEAD']).trim();

  const pushed = push(hosted.clone, target(hosted, way));
  const signal = await followed.promise;
  pushed.kill();

  await until(() => signal.aborted);
  expect(await hosted.repo.resolve('refs/heads/main')).toBe(commit);
});

test('a pusher over HTTP that is killed during the check does not stop it, and the ref moves', async () => {
  const checking = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const gate: PushGate = {
    ...accept,
    check: async (_, print) => {
      print('checking');
      checking.resolve();
      await go.promise;
      return true;
    },
  };
  const hosted = await host(gate);

  const pushed = push(hosted.clone, hosted.url);
  await checking.promise;
  pushed.kill();
  await pushed.ended;
  go.resolve();

  await until(async () => (await hosted.repo.resolve('refs/heads/main')) !== null);
});

test('with the daemon down a push by path is refused with one plain line', async () => {
  const hosted = await host(accept);
  await hosted.stop();

  const pushed = push(hosted.clone, hosted.repo.path);

  expect(await pushed.ended).toBe(1);
  const said = pushed.lines.filter(
    (line) => line.text.startsWith('remote:') && line.text.trim() !== 'remote:',
  );
  expect(said.map((line) => line.text)).toEqual([
    "remote: Mainstay is not running for this repository; start it with 'mainstay serve' and push again",
  ]);
});

test.each(ways)(
  'a daemon that stops during a push by %s says so, and what moved stays moved',
  async (way) => {
    const following = Promise.withResolvers<void>();
    const gate: PushGate = {
      ...accept,
      follow: async (_request, _print, signal) => {
        following.resolve();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    };
    const hosted = await host(gate);

    const pushed = push(hosted.clone, target(hosted, way));
    await following.promise;
    await hosted.stop();

    expect(await pushed.ended).toBe(0);
    expect(texts(pushed)).toContain(
      'remote: Mainstay stopped; the push is stored and is taken up when it runs again',
    );
  },
);

test('a data folder too deep for a unix socket still takes pushes by path', async () => {
  const deep = path.join(scratchDir(), 'd'.repeat(60), 'e'.repeat(60));
  const hosted = await host(accept, deep);

  const pushed = push(hosted.clone, hosted.repo.path);

  expect(await pushed.ended).toBe(0);
  expect(existsSync(path.join(deep, 'hooks.sock'))).toBe(false);
});

test.each(ways)('a data folder with a hostile name takes pushes by %s', async (way) => {
  const repos: GitRepository[] = [];
  const gate: PushGate = {
    ...accept,
    check: async ({ updates, quarantine }) =>
      (await repos[0]?.commit(updates[0]?.after ?? '', quarantine ?? undefined))?.message === 'one\n',
  };
  const hosted = await host(gate, path.join(scratchDir(), `it's "a" $HOME: ü; %s`));
  repos.push(hosted.repo);

  const pushed = push(hosted.clone, target(hosted, way));

  expect([await pushed.ended, texts(pushed)]).toEqual([0, expect.stringContaining('main -> main')]);
});

test('a second daemon on the same data is told so; a dead one leaves nothing in the way', async () => {
  const hosted = await host(accept);
  const options = {
    repository: hosted.repo,
    gate: accept,
    hooksDir: path.join(hosted.dir, 'hooks'),
    log: silent,
  };

  const second = await createHookServer({ ...options, socketPath: path.join(hosted.dir, 'hooks.sock') });
  await hosted.stop();
  const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  const killed = spawn(process.execPath, ['-e', script, path.join(hosted.dir, 'hooks.sock')]);
  await new Promise((resolve) => killed.on('close', resolve));
  const third = await createHookServer({ ...options, socketPath: path.join(hosted.dir, 'hooks.sock') });
  if (third.ok) atEnd(() => third.value.close());

  expect(second).toMatchObject({ ok: false, error: { code: 'hook-socket-busy' } });
  expect(third.ok).toBe(true);
});

test('a copy of the repository cannot speak for the one that the daemon serves', async () => {
  const hosted = await host(accept);
  git(hosted.dir, ['clone', '-q', '--bare', hosted.repo.path, 'copy.git']);
  git(path.join(hosted.dir, 'copy.git'), ['config', 'core.hooksPath', path.join(hosted.dir, 'hooks')]);

  const pushed = push(hosted.clone, path.join(hosted.dir, 'copy.git'));

  expect(await pushed.ended).toBe(1);
  expect(texts(pushed)).toContain('not for this copy');
});

test('a large push comes through in chunks, and one over the limit is refused whole', async () => {
  const hosted = await host(accept, scratchDir(), { pushMaxBytes: 4_000_000 });
  writeFileSync(path.join(hosted.clone, 'large'), randomBytes(2_500_000));
  commitIn(hosted.clone, 'large');

  const first = await push(hosted.clone, hosted.url).ended;
  const commit = await hosted.repo.resolve('refs/heads/main');
  writeFileSync(path.join(hosted.clone, 'large'), randomBytes(5_000_000));
  commitIn(hosted.clone, 'too large');
  const second = push(hosted.clone, hosted.url);

  expect(first).toBe(0);
  expect(await second.ended).not.toBe(0);
  expect(await hosted.repo.resolve('refs/heads/main')).toBe(commit);
  expect(await run(hosted.dir, ['clone', '-q', hosted.url, 'copy'])).toBe(0);
});

test('what is no git request is answered plainly', async () => {
  const hosted = await host(accept);
  const ask = async (suffix: string, init?: RequestInit): Promise<number> =>
    (await fetch(`${hosted.url}${suffix}`, init)).status;

  expect(await ask('/HEAD')).toBe(404);
  expect(await ask('/info/refs')).toBe(404);
  expect(await ask('/info/refs?service=git-shell')).toBe(404);
  expect(await ask('/git-receive-pack', { method: 'POST', body: 'x' })).toBe(415);
  expect(await ask('/git-receive-pack')).toBe(404);
});
