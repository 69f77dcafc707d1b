/**
 * A daemon that dies between any two changes on disk: after every prefix of a story the next one recovers to exactly
 * one live version (the one that was acknowledged, or the one being promoted), whole and with links that agree.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Files } from '../../../src/adapters/slots/files.ts';
import type { SlotStore } from '../../../src/ports.ts';
import { bench, checkedOut, deploy, place, record, unsynced, type Bench } from './bench.ts';

const diskFiles = unsynced;

/** Calls `before` ahead of each single change on disk; a copy counts as two, so that half a copy can be seen. */
function watchedFiles(before: () => void): Files {
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    before();
    return work();
  };
  return {
    makeFolder: (path) => step(() => diskFiles.makeFolder(path)),
    rename: (from, to) => step(() => diskFiles.rename(from, to)),
    remove: (path) => step(() => diskFiles.remove(path)),
    link: (target, path) => step(() => diskFiles.link(target, path)),
    write: (path, text) => step(() => diskFiles.write(path, text)),
    writeDurable: (path, text) => step(() => diskFiles.writeDurable(path, text)),
    append: (path, text) => step(() => diskFiles.append(path, text)),
    sync: (folder) => step(() => diskFiles.sync(folder)),
    syncTree: (folder) => step(() => diskFiles.syncTree(folder)),
    copyTree: (from, to) =>
      step(async () => {
        await diskFiles.makeFolder(to);
        return step(() => cp(from, to, { recursive: true, verbatimSymlinks: true }).then(() => true));
      }),
  };
}

/** The world as a crash at one moment would leave it. */
interface Moment {
  readonly dataDir: string;
  /** Slots whose promotion had returned by then, in order. */
  readonly acknowledged: readonly string[];
}

/** Keeps the data folder as it was before each change. */
function recorder(b: Bench): {
  readonly store: SlotStore;
  readonly moments: Moment[];
  readonly acknowledge: (slot: string) => void;
} {
  const moments: Moment[] = [];
  let acknowledged: readonly string[] = [];
  mkdirSync(b.dataDir, { recursive: true });
  const files = watchedFiles(() => {
    const dataDir = join(b.dir, `moment-${moments.length}`);
    execFileSync('cp', ['-a', b.dataDir, dataDir]);
    moments.push({ dataDir, acknowledged });
  });
  return {
    store: b.store({ files }),
    moments,
    acknowledge: (slot) => {
      acknowledged = [...acknowledged, slot];
    },
  };
}

async function expectConsistent(
  app: string,
  store: SlotStore,
  acknowledged: readonly string[],
): Promise<void> {
  const links = await store.links('web');
  const last = acknowledged.at(-1) ?? null;
  const names = existsSync(app) ? readdirSync(app) : [];
  const live = links.live?.slot ?? null;

  // A promotion that had not returned may have been decided or not; one that had returned stays.
  if (last !== null && live !== last) expect(links.previous?.slot).toBe(last);
  for (const [name, slot] of [
    ['live', links.live],
    ['prev', links.previous],
  ] as const) {
    const path = join(app, name);
    if (slot === null) expect(lstatSync(path, { throwIfNoEntry: false })).toBeUndefined();
    else expect(readlinkSync(path)).toBe(slot.slot);
    if (slot !== null) {
      expect(await store.intact('web', slot.slot), slot.slot).toBe(true);
      expect(readFileSync(join(path, 'v.txt'), 'utf8')).toBe(slot.slot.at(-1));
    }
  }
  const allowed = new Set([
    live,
    links.previous?.slot,
    'slot-staging',
    'live',
    'prev',
    '.index',
    'shared',
    'slots.json',
  ]);
  expect(names.filter((name) => !allowed.has(name))).toEqual([]);
  const known = new Set([live, links.previous?.slot, 'slot-staging']);
  const indexes = existsSync(join(app, '.index')) ? readdirSync(join(app, '.index')) : [];
  expect(indexes.filter((name) => !known.has(name.replace(/\.json$/, '')))).toEqual([]);
}

test('after a crash anywhere in deploys, a failure and a roll back everything is consistent', async () => {
  using b = bench();
  const a = b.commit({ 'v.txt': 'a', 'only-a.txt': 'x', 'data/seed.txt': 's' });
  const second = b.commit({ 'v.txt': 'b', 'only-b.txt': 'x' });
  const third = b.commit({ 'v.txt': 'c' });
  const last = b.commit({ 'v.txt': 'd', 'd.txt': 'new' });
  const { store, moments, acknowledge } = recorder(b);
  for (const [slot, version] of [
    ['slot-a', a],
    ['slot-b', second],
  ] as const) {
    const dir = await checkedOut(store, slot, version, ['data']);
    writeFileSync(join(dir, 'artefact.txt'), slot);
    await store.promote('web', record(slot, version));
    acknowledge(slot);
    await store.tidy('web');
  }
  await checkedOut(store, 'slot-c', third);
  await store.abandon('web', 'slot-c');
  await store.promote('web', record('slot-a', a));
  acknowledge('slot-a');
  await store.tidy('web');
  await checkedOut(store, 'slot-c', third);
  await store.promote('web', record('slot-c', third));
  acknowledge('slot-c');
  await store.tidy('web');
  expect(moments.length).toBeGreaterThan(60);

  for (const [number, { dataDir, acknowledged }] of moments.entries()) {
    const next = b.store({ dataDir });
    for (const app of await next.apps()) await next.recover(app);
    await expectConsistent(join(dataDir, 'apps/web'), next, acknowledged);

    // A deploy from each of them would make this the slowest test of all.
    if (number % 5 !== 0) continue;
    const dir = await deploy(next, 'slot-d', last);
    expect(
      readdirSync(dir)
        .filter((file) => file !== 'artefact.txt')
        .toSorted(),
    ).toEqual(['d.txt', 'v.txt']);
    expect(readFileSync(join(dataDir, 'apps/web/live/v.txt'), 'utf8')).toBe('d');
  }
}, 120_000);

test('recovery and removal can themselves be cut short anywhere', async () => {
  using b = bench();
  const { moments, store } = recorder(b);
  const whole = b.store();
  await deploy(whole, 'slot-a', b.commit({ 'v.txt': 'a' }));
  await checkedOut(whole, 'slot-b', b.commit({ 'v.txt': 'b' }));
  place(join(b.app, 'slot-left/file'), 'left');
  place(join(b.app, '.scratch-1/file'), 'left');
  place(join(b.app, '.index/slot-laying.lock'), '');
  place(join(b.app, '.slots.json.1.tmp'), '{');
  await diskFiles.remove(join(b.app, 'live'));
  await store.recover('web');
  expect(readFileSync(join(b.app, 'slot-staging/v.txt'), 'utf8')).toBe('b');
  const recovering = moments.length;
  await store.remove('web');

  for (const [number, { dataDir }] of moments.entries()) {
    const next = b.store({ dataDir });
    await next.recover('web');
    const removed = number >= recovering && (await next.links('web')).live === null;
    await expectConsistent(join(dataDir, 'apps/web'), next, removed ? [] : ['slot-a']);
    await next.remove('web');
    expect(await next.apps()).toEqual([]);
  }
}, 120_000);

test('a record that is not ours stops recovery instead of costing the slots', async () => {
  using b = bench();
  await deploy(b.store(), 'slot-a', b.commit({ 'v.txt': 'a' }));
  writeFileSync(join(b.app, 'slots.json'), '{"live": 3}');

  await expect(b.store().recover('web')).rejects.toThrow(/slots\.json is damaged/);

  expect(existsSync(join(b.app, 'slot-a/v.txt'))).toBe(true);
});

test('a git that a killed daemon left at work is ended before its folder is put in order', async () => {
  if (process.platform !== 'linux') return;
  using b = bench();
  await deploy(b.store(), 'slot-a', b.commit({ 'v.txt': 'a' }));
  const left = spawn('sleep', ['60'], {
    env: { ...process.env, MAINSTAY_SLOTS_OF: b.dataDir },
    stdio: 'ignore',
  });
  const other = spawn('sleep', ['60'], {
    env: { ...process.env, MAINSTAY_SLOTS_OF: `${b.dataDir}-x` },
    stdio: 'ignore',
  });
  try {
    const ended = once(left, 'exit');
    await b.store().recover('web');
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(other.exitCode ?? other.signalCode).toBeNull();
  } finally {
    left.kill('SIGKILL');
    other.kill('SIGKILL');
  }
});
