/** Those who wait for the same moment, each for a time of their own. */
export interface Waiters {
  /** Resolves at `wake` or when the time is up. */
  wait(timeoutMs: number): Promise<void>;
  wake(): void;
}

export function createWaiters(): Waiters {
  const waiting = new Set<() => void>();
  return {
    wait: (timeoutMs) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, timeoutMs);
        waiting.add(done);
      }),
    wake() {
      for (const done of waiting) done();
    },
  };
}
