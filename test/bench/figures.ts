/** What a bench hands back, and how figures are summed up. Absolute times depend on the machine: each has a companion. */

export interface Figure {
  /** Row of the measures, e.g. `P1`. */
  readonly id: string;
  readonly what: string;
  readonly measured: string;
  /** The bare minimum or the peer that ran in the same run. */
  readonly beside: string;
  readonly target: string;
  readonly met: boolean;
}

export interface Bench {
  readonly name: string;
  readonly ids: readonly string[];
  run(): Promise<readonly Figure[]>;
}

/** The value below which `share` (0 to 1) of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function ms(value: number): string {
  return value < 10 ? `${value.toFixed(2)} ms` : `${Math.round(value)} ms`;
}

/** Runs `work` and says how long it took, in milliseconds. */
export async function timed<T>(
  work: () => Promise<T>,
): Promise<{ readonly took: number; readonly value: T }> {
  const began = performance.now();
  const value = await work();
  return { took: performance.now() - began, value };
}
