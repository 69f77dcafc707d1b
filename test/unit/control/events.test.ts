/** A reader that comes back is told when it cannot be given all that it has missed. */
import { expect, test } from 'vitest';
import { createEventLog } from '../../../src/control/events.ts';

function logAt(now: number) {
  const clock = { now: () => now, sleep: () => Promise.resolve(true) };
  return createEventLog(clock, (text) => text);
}

test('ids go on above those of a daemon before, and its readers hear of the gap', () => {
  const before = logAt(1000).emit({ type: 'x', message: 'x' });
  const events = logAt(2000);
  const made = events.emit({ type: 'y', message: 'y' });
  expect(made.id).toBeGreaterThan(before.id);
  expect(events.since(before.id)).toEqual({ events: [made], gap: true });
  expect(events.since(made.id)).toEqual({ events: [], gap: false });
});

test('an id from before the clock was set back is a gap, and not the future', () => {
  const before = logAt(2000).emit({ type: 'x', message: 'x' });
  const events = logAt(1000);
  const made = events.emit({ type: 'y', message: 'y' });
  expect(events.since(before.id)).toEqual({ events: [made], gap: true });
});
