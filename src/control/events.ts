/** The event stream: a bounded ring with rising ids, and listeners that are never waited for. */
import type { EventFeed } from '../model/control-plane.ts';
import type { Event } from '../model/event.ts';
import type { Clock } from '../ports.ts';

/** Older events are gone; a reader that comes back too late is told so. */
const KEPT = 10_000;

export interface EventLog extends EventFeed {
  emit(event: Omit<Event, 'id' | 'at'>): Event;
}

/** Ids are seeded from the clock, so that a restarted daemon goes on above what its predecessor gave out. */
export function createEventLog(clock: Clock, scrub: (text: string) => string): EventLog {
  const kept: Event[] = [];
  const listeners = new Set<(event: Event) => void>();
  let last = clock.now() * 1000;
  const first = last;
  return {
    get last() {
      return last;
    },
    emit(event) {
      const made: Event = {
        ...event,
        message: scrub(event.message),
        id: ++last,
        at: new Date(clock.now()).toISOString(),
      };
      kept.push(made);
      if (kept.length > KEPT * 1.1) kept.splice(0, kept.length - KEPT);
      for (const listener of listeners) listener(made);
      return made;
    },
    since(id) {
      // Not one of ours: a daemon before this one gave it out, and the clock has been set back since.
      if (id > last) return { events: [...kept], gap: true };
      const from = firstAfter(kept, id);
      const oldest = kept[0]?.id ?? last + 1;
      const gap = id < first || (id + 1 < oldest && id < last);
      return { events: kept.slice(from), gap };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Ids rise, so the place is found by halving. */
function firstAfter(events: readonly Event[], id: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle]?.id ?? Infinity) > id) high = middle;
    else low = middle + 1;
  }
  return low;
}
