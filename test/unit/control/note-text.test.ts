/** What a note says is what the record said: history can be read back from it. */
import { expect, test } from 'vitest';
import { noteText, readNoteText } from '../../../src/control/records/note-text.ts';
import type { CommitRecord } from '../../../src/model/commit-record.ts';

const record: CommitRecord = {
  seq: 7,
  revision: 3,
  commit: 'c'.repeat(40),
  tree: 't'.repeat(40),
  state: 'failed',
  seenAt: Date.parse('2026-01-02T03:04:05.000Z'),
  at: Date.parse('2026-01-02T03:04:06.500Z'),
  tookMs: 1500,
  by: 'Ada Person <ada@example.org>',
  subject: 'web: one',
  plan: { start: 0, stop: 0, swap: 1, unchanged: 2 },
  apps: {
    web: { slot: 'slot-1', commit: 'x', previous_commit: '', healthy: true, url: 'http://127.0.0.1:1/' },
  },
  actions: [
    { do: 'swap', unit: 'web', because: 'its source moved', result: 'failed: no: "quotes"', took_ms: 9 },
  ],
  reason: 'web: not healthy',
  diagnostics: ['a.yaml:1:1: error x y'],
  supersededBy: null,
  everConverged: false,
};

test('a verdict is read back as it was written, also with the end mark and text of others behind it', () => {
  const {
    seq: _seq,
    revision: _revision,
    commit: _commit,
    tree: _tree,
    subject: _subject,
    ...verdict
  } = record;

  expect(readNoteText(`${noteText(record, 'mainstay 0')}...\n`)).toEqual(verdict);
});

test.each([
  ['nothing', ''],
  ['a commit that is on its way', 'state: converging\nat: 2026-01-02T03:04:05Z\n'],
  ['no time', 'state: converged\n'],
  ['another shape', '- state: converged\n'],
  ['no YAML', 'state: [converged\n'],
])('%s is no verdict', (_what, text) => {
  expect(readNoteText(text)).toBeNull();
});
