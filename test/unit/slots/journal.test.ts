/** The journal: newest first, append-only, and no entry lost behind a line that a crash tore. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JournalEntry } from '../../../src/model/slot.ts';
import { bench } from './bench.ts';

function entry(n: number, reason: string | null = null): JournalEntry {
  return {
    at: new Date(n).toISOString(),
    app: 'web',
    do: 'deploy',
    slot: `slot-${n}`,
    commit: 'c'.repeat(40),
    previous_commit: null,
    intent: null,
    trigger: 'push',
    result: 'promoted',
    reason,
    took_ms: n,
  };
}

test('entries come back newest first, as many as asked for', async () => {
  using b = bench();
  const store = b.store();
  expect(await store.readJournal('web', 10)).toEqual([]);
  await Promise.all([1, 2, 3, 4].map((n) => store.journal(entry(n))));

  expect((await store.readJournal('web', 3)).map((one) => one.took_ms)).toEqual([4, 3, 2]);
  expect(await store.readJournal('web', 0)).toEqual([]);
});

test('a torn last line is skipped, and the next entry begins a line of its own', async () => {
  using b = bench();
  const store = b.store();
  await store.journal(entry(1));
  appendFileSync(join(b.app, 'journal.ndjson'), '{"at":"2026-01-01T00:00:00Z","app":"we');
  expect((await store.readJournal('web', 10)).map((one) => one.took_ms)).toEqual([1]);

  await store.journal(entry(2));

  expect((await b.store().readJournal('web', 10)).map((one) => one.took_ms)).toEqual([2, 1]);
  expect(readFileSync(join(b.app, 'journal.ndjson'), 'utf8').split('\n')).toHaveLength(4);
});

test('a long journal is read from its end, across lines longer than one read', async () => {
  using b = bench();
  mkdirSync(b.app, { recursive: true });
  const lines = Array.from({ length: 500 }, (_, n) =>
    JSON.stringify(entry(n, 'ä'.repeat(n % 3 === 0 ? 50_000 : 10))),
  );
  writeFileSync(join(b.app, 'journal.ndjson'), `${lines.join('\n')}\n`);

  const read = await b.store().readJournal('web', 40);

  expect(read.map((one) => one.took_ms)).toEqual(Array.from({ length: 40 }, (_, n) => 499 - n));
});
