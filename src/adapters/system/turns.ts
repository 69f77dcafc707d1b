/** Lets work on the same thing run one piece after another. */

export interface Turns {
  /** Runs when everything asked for before has ended. */
  take<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** The same, but gives up with `cancelled` when the signal comes before its turn; begun work ends by itself. */
  takeUnless<T>(key: string, work: () => Promise<T>, signal: AbortSignal): Promise<T | 'cancelled'>;
}

/** Keys are independent of each other; a key that nobody waits for takes no memory. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();

  function take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const mine = (last.get(key) ?? Promise.resolve()).then(work);
    const done = mine.then(
      () => {},
      () => {},
    );
    last.set(key, done);
    void done.then(() => {
      if (last.get(key) === done) last.delete(key);
    });
    return mine;
  }

  return {
    take,
    takeUnless: (key, work, signal) =>
      new Promise((resolve, reject) => {
        const giveUp = (): void => resolve('cancelled');
        if (signal.aborted) return giveUp();
        signal.addEventListener('abort', giveUp, { once: true });
        const begin = async (): Promise<void> => {
          signal.removeEventListener('abort', giveUp);
          if (signal.aborted) giveUp();
          else resolve(await work());
        };
        take(key, begin).catch(reject);
      }),
  };
}
