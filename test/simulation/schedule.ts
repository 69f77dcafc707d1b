/**
 * Virtual time and the order of everything in it. One thing happens at a time: the earliest entry runs, then all that
 * follows from it without waiting, then the next. Time moves only when nothing is left to do at the present moment.
 */

interface Entry {
  readonly at: number;
  /** Decides between entries of one moment: drawn at random, or the order in which they came. */
  readonly rank: number;
  readonly job: () => void;
}

export interface Schedule {
  now(): number;
  /** Runs `job` at that time, or now when it has passed; the returned function calls it off. */
  at(time: number, job: () => void): () => void;
  /** Runs everything up to and including `time`; `afterEach` after every entry. Stops early when it returns false. */
  runUntil(time: number, afterEach: () => boolean): Promise<void>;
  /** How many entries have run. */
  readonly turns: number;
}

/** A run that takes more turns than this will never end. */
const TURNS_MAX = 400_000;

/** `rank` is asked for each new entry. */
export function createSchedule(start: number, rank: () => number): Schedule {
  let entries: Entry[] = [];
  let now = start;
  let turns = 0;

  function take(until: number): Entry | null {
    let best: Entry | null = null;
    for (const entry of entries) {
      if (entry.at > until) continue;
      if (best === null || entry.at < best.at || (entry.at === best.at && entry.rank < best.rank))
        best = entry;
    }
    if (best !== null) entries = entries.filter((entry) => entry !== best);
    return best;
  }

  return {
    now: () => now,
    get turns() {
      return turns;
    },
    at(time, job) {
      const entry = { at: Math.max(now, time), rank: rank(), job };
      entries.push(entry);
      return () => {
        entries = entries.filter((other) => other !== entry);
      };
    },
    async runUntil(time, afterEach) {
      await settled();
      for (;;) {
        const entry = take(time);
        if (entry === null) break;
        now = entry.at;
        if (++turns > TURNS_MAX) throw new Error(`no end after ${TURNS_MAX} turns`);
        entry.job();
        await settled();
        if (!afterEach()) return;
      }
      now = Math.max(now, time);
    },
  };
}

/** Resolves when every promise that can go on has gone on: immediates come after all microtasks. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
