/** The store's promises: what was put is there after a kill, one process at a time, and damage is told plainly. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../../src/adapters/store/open.ts';
import type { OpenStore } from '../../../src/adapters/store/open.ts';
import type { CommitRecord } from '../../../src/model/commit-record.ts';
import type { Hold } from '../../../src/model/hold.ts';

let folder: string;
let file: string;
let store: OpenStore | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mainstay-store-'));
  file = join(folder, 'mainstay.db');
});

afterEach(() => {
  store?.close();
  store = null;
  rmSync(folder, { recursive: true, force: true });
});

function open(): OpenStore {
  store?.close();
  const opened = openStore({ file });
  if (!opened.ok) throw new Error(opened.error.message);
  store = opened.value;
  return opened.value;
}

function code(): string {
  const opened = openStore({ file });
  if (opened.ok) {
    opened.value.close();
    return 'opened';
  }
  return opened.error.code;
}

function commitRecord(seq: number, more: Partial<CommitRecord> = {}): CommitRecord {
  return {
    seq,
    revision: 1,
    commit: `c${seq}`,
    tree: `t${seq}`,
    state: 'pending',
    seenAt: 1,
    at: 1,
    tookMs: null,
    by: 'A <a@example.org>',
    subject: 'one',
    plan: null,
    apps: {},
    actions: [],
    reason: null,
    diagnostics: [],
    supersededBy: null,
    everConverged: false,
    ...more,
  };
}

const web = { slot: 's', commit: 'x', previous_commit: '', healthy: true, url: '' };

describe('commits', () => {
  test('a record is read back as it was put, also after opening again', () => {
    const record = commitRecord(1, {
      apps: { web },
      reason: 'because',
      plan: { start: 1, stop: 0, swap: 0, unchanged: 2 },
    });
    open().commits.put(record);

    expect(open().commits.get('c1')).toEqual(record);
    expect(open().commits.get('c2')).toBeNull();
  });

  test('the list is newest first, pages with before, and filters by app', () => {
    const { commits } = open();
    for (let seq = 1; seq <= 5; seq++) commits.put(commitRecord(seq, seq % 2 === 0 ? { apps: { web } } : {}));

    expect(commits.list({ limit: 2 }).map((r) => r.seq)).toEqual([5, 4]);
    expect(commits.list({ limit: 2, before: 4 }).map((r) => r.seq)).toEqual([3, 2]);
    expect(commits.list({ limit: 9, app: 'web' }).map((r) => r.seq)).toEqual([4, 2]);
    expect(commits.list({ limit: 9, app: "we'b" })).toEqual([]);
  });

  test('only the revision that was noted counts as noted', () => {
    const { commits } = open();
    commits.put(commitRecord(1));
    commits.put(commitRecord(2));
    commits.put(commitRecord(1, { revision: 2, state: 'converged' }));
    commits.noted('c1', 1);
    commits.noted('c2', 1);

    expect(commits.unnoted(10).map((r) => [r.commit, r.revision])).toEqual([['c1', 2]]);
    expect(commits.unnotedCount()).toBe(1);
    commits.noted('c1', 2);
    expect(commits.unnoted(10)).toEqual([]);
    expect(commits.unnotedCount()).toBe(0);
  });

  test('a tree that converged once stays converged', () => {
    const { commits } = open();
    commits.put(commitRecord(1, { everConverged: true }));
    commits.put(commitRecord(1, { revision: 2, state: 'failed' }));

    expect(commits.treeConverged('t1')).toBe(true);
    expect(commits.treeConverged('t2')).toBe(false);
  });
});

test('holds and values are put, replaced and deleted', () => {
  const hold: Hold = {
    unit: 'web',
    kind: 'version',
    digest: 'd',
    intent: 'c',
    code: 'x',
    reason: 'r',
    at: 1,
    retryAt: null,
    failures: 1,
  };
  const { holds, values } = open();
  holds.put(hold);
  holds.put({ ...hold, failures: 2 });
  values.put('k', 'v');
  values.put('k', 'w');

  expect(open().holds.all()).toEqual([{ ...hold, failures: 2 }]);
  expect(open().values.get('k')).toBe('w');
  const again = open();
  again.holds.delete('web', 'version');
  again.values.put('k', null);
  expect(again.holds.all()).toEqual([]);
  expect(again.values.get('k')).toBeNull();
});

test('a token name is free again once the token is revoked or expired', () => {
  const { tokens } = open();
  const token = {
    hash: 'h1',
    name: 'ci',
    role: 'deployer',
    createdAt: 10,
    expiresAt: null,
    revokedAt: null,
  } as const;

  expect(tokens.create(token)).toBe(true);
  expect(tokens.create({ ...token, hash: 'h2' })).toBe(false);
  expect(tokens.revoke('ci', 20)).toBe(true);
  expect(tokens.revoke('ci', 21)).toBe(false);
  expect(tokens.create({ ...token, hash: 'h2', createdAt: 30, expiresAt: 40 })).toBe(true);
  expect(tokens.create({ ...token, hash: 'h3', createdAt: 40 })).toBe(true);
  expect(tokens.byHash('h1')).toEqual({ ...token, revokedAt: 20 });
  expect(tokens.byHash('nothing')).toBeNull();
  expect(tokens.all().map((t) => t.hash)).toEqual(['h1', 'h2', 'h3']);
});

describe('opening', () => {
  test('a second opening is refused and names the daemon', () => {
    open();
    writeFileSync(join(folder, 'daemon.json'), JSON.stringify({ pid: 4711 }));
    const second = openStore({ file });

    expect(second.ok).toBe(false);
    if (second.ok) return;
    expect(second.error.code).toBe('data-in-use');
    expect(second.error.message).toContain('pid 4711');
    expect(second.error.details).toMatchObject({ pid: 4711 });
  });

  test('the refused opening leaves the first one its lock', async () => {
    open();
    expect(code()).toBe('data-in-use');

    expect(await inAnotherProcess('report')).toBe('data-in-use');
  });

  test('what was put survives a kill of the process', async () => {
    expect(await inAnotherProcess('put-and-die')).toBe('put');

    expect(open().values.get('k')).toBe('kept');
  });

  test('a file that is no database is called corrupt', () => {
    writeFileSync(file, 'no database'.repeat(1000));

    expect(code()).toBe('store-corrupt');
  });

  test('a database with damaged pages is called corrupt', () => {
    const opened = open();
    for (let seq = 1; seq <= 200; seq++) opened.commits.put(commitRecord(seq));
    opened.close();
    const db = new DatabaseSync(file);
    const pages = Number(db.prepare('PRAGMA page_count').get()?.['page_count']);
    db.close();
    const fd = openSync(file, 'r+');
    writeSync(fd, Buffer.alloc(4096 * (pages - 3), 0x5a), 0, null, 4096 * 3);
    closeSync(fd);

    expect(code()).toBe('store-corrupt');
  });

  test('a newer database is left alone', () => {
    open().close();
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 99');
    db.close();

    expect(code()).toBe('store-newer');
  });

  test('a folder that cannot be made is told as such', () => {
    writeFileSync(join(folder, 'plain'), '');
    file = join(folder, 'plain', 'mainstay.db');

    expect(code()).toBe('store-unavailable');
  });
});

/** Opens the same file elsewhere and answers with the word that the child prints. */
async function inAnotherProcess(does: 'report' | 'put-and-die'): Promise<string> {
  const module = new URL('../../../src/adapters/store/open.ts', import.meta.url).href;
  const script = `
    const { openStore } = await import(${JSON.stringify(module)});
    const opened = openStore({ file: ${JSON.stringify(file)} });
    if (!opened.ok) { console.log(opened.error.code); process.exit(0); }
    if (${JSON.stringify(does)} === 'report') { console.log('opened'); process.exit(0); }
    opened.value.values.put('k', 'kept');
    const fs = await import('node:fs');
    fs.writeSync(1, 'put');
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  return out.trim();
}

test('unfinished commits are those in no terminal state, oldest first', () => {
  const { commits } = open();
  commits.put(commitRecord(2, { state: 'pending' }));
  commits.put(commitRecord(1, { state: 'converging' }));
  commits.put(commitRecord(3, { state: 'converged' }));
  commits.put(commitRecord(4));
  commits.put(commitRecord(4, { revision: 2, state: 'superseded' }));

  expect(commits.unfinished().map(({ commit }) => commit)).toEqual(['c1', 'c2']);
});
