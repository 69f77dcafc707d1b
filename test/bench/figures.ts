/** What a bench hands back, and how samples are summed up. Absolute times depend on the machine: each has a companion. */

export interface Figure {
  /** Row of the measures, e.g. `P1`. */
  readonly id: string;
  readonly what: string;
  readonly measured: string;
  /** The bare minimum or the peer that ran in the same run, its rounds between ours. */
  readonly beside: string;
  readonly target: string;
  readonly met: boolean;
}

export interface BenchResult {
  readonly figures: readonly Figure[];
  /** Where the time goes, one line each; printed below the table. */
  readonly profile?: readonly string[];
}

export interface Bench {
  readonly name: string;
  readonly ids: readonly string[];
  /** What is done, for whoever reads the page. */
  readonly method: string;
  run(): Promise<BenchResult>;
}

/** The smallest value that at least `share` (0 to 1) of the values do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function ms(value: number): string {
  return Math.abs(value) < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

/** `p50 … p95 … worst …`; with a hundred samples and more also p99. */
export function spread(values: readonly number[]): string {
  const p99 = values.length < 100 ? [] : [`p99 ${ms(quantile(values, 0.99))}`];
  return [
    `p50 ${ms(median(values))}`,
    `p95 ${ms(quantile(values, 0.95))}`,
    ...p99,
    `worst ${ms(Math.max(...values))}`,
  ].join(', ');
}

/** Runs `work` and says how long it took, in milliseconds. */
export async function timed<T>(
  work: () => Promise<T>,
): Promise<{ readonly took: number; readonly value: T }> {
  const began = performance.now();
  const value = await work();
  return { took: performance.now() - began, value };
}

/** How often a bench repeats: its own number, or what BENCH_ROUNDS says (to see quickly whether it works at all). */
export function rounds(usual: number): number {
  const asked = Number(process.env['BENCH_ROUNDS']);
  return Number.isInteger(asked) && asked > 0 ? Math.min(asked, usual) : usual;
}
