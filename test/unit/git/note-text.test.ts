import fc from 'fast-check';
import { expect, test } from 'vitest';

import { mergeNote, splitNote } from '../../../src/adapters/git/note-text.ts';

const first = 'state: pending\nat: "1"\n';
const second = 'state: converged\nat: "2"\napps:\n  web:\n    slot: a\n';

test('a new note is our block, closed', () => {
  expect(mergeNote(null, first)).toBe('state: pending\nat: "1"\n...\n');
  expect(mergeNote('', `${first}...\n`)).toBe('state: pending\nat: "1"\n...\n');
});

test('rewriting replaces our block', () => {
  expect(mergeNote(mergeNote(null, first), second)).toBe(`${second}...\n`);
});

test('foreign text stays beside ours, once, wherever ours stood', () => {
  const notes = [
    `reviewed by Ada\n\n${first}...\n`,
    `${first}...\n\nreviewed by Ada\n`,
    'reviewed by Ada',
    `\n\n${first}...\nreviewed by Ada\n\n${first}...\n`,
  ];

  expect(notes.map((note) => mergeNote(note, second))).toEqual(
    notes.map(() => `${second}...\n\nreviewed by Ada\n`),
  );
});

test('text before and after ours both stay', () => {
  expect(mergeNote(`a\n\n${first}...\n\nb\n`, second)).toBe(`${second}...\n\na\n\nb\n`);
});

test("a block that is not closed, or says another state, is somebody's text", () => {
  expect(splitNote('state: pending\nmine\n')).toEqual({ ours: null, foreign: 'state: pending\nmine' });
  expect(splitNote('state: open\n...\n')).toEqual({ ours: null, foreign: 'state: open\n...' });
  expect(splitNote(`state: failed\nx\n${first}...\n`)).toEqual({ ours: first, foreign: 'state: failed\nx' });
});

test('what is no mapping of ours is a bug', () => {
  expect(() => mergeNote(null, 'hello')).toThrow('begins with its state');
  expect(() => mergeNote(null, 'state: held\n...\nx')).toThrow('begins with its state');
});

test('merging again changes nothing, and no foreign line is lost', () => {
  const line = fc.oneof(
    fc.constantFrom('', '...', 'state: pending', 'state: x', '  state: held', '---'),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const existing = lines.join('\n');
      const once = mergeNote(existing, first);

      expect(mergeNote(once, first)).toBe(once);
      expect(mergeNote(mergeNote(existing, second), first)).toBe(once);
      expect(splitNote(once).ours).toBe(first);
      expect(splitNote(once).foreign).toBe(splitNote(existing).foreign);
    }),
  );
});
