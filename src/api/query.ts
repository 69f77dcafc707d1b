/** Query values in the units that the code works in. */

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Milliseconds of `500ms`, `30s`, `2m`, `1h`, or of a bare number of seconds; the form has been validated. */
export function durationMs(value: string): number {
  const match = /^(\d+)(ms|s|m|h)?$/.exec(value);
  const unit = (match?.[2] ?? 's') as keyof typeof UNIT_MS;
  return Number(match?.[1] ?? 0) * UNIT_MS[unit];
}
