/** Blast radius: what a commit would stop of what runs, and whether that needs a second word. Pure. */

/** From this many running units on the guard applies. */
export const GUARD_FROM_UNITS = 4;

export interface GuardInput {
  /** Units that run now. */
  readonly running: readonly string[];
  /** Units that the new intent wants. */
  readonly wanted: ReadonlySet<string>;
  readonly maxStop: number;
  /** Message of the commit, whose trailer may allow it. */
  readonly message: string;
  /** The commit's tree had converged before: going back is always allowed. */
  readonly treeConverged: boolean;
}

export interface GuardVerdict {
  readonly allowed: boolean;
  /** Units that would stop. */
  readonly stops: readonly string[];
}

export function guard(input: GuardInput): GuardVerdict {
  const stops = input.running.filter((unit) => !input.wanted.has(unit)).sort();
  const over =
    input.running.length >= GUARD_FROM_UNITS && stops.length > input.maxStop * input.running.length;
  return { allowed: !over || input.treeConverged || allowsStop(input.message), stops };
}

/** `Mainstay-Allow: stop` among the trailers: the last paragraph of the message. */
export function allowsStop(message: string): boolean {
  const paragraphs = message.trim().split(/\n\s*\n/);
  const last = paragraphs.length > 1 ? (paragraphs.at(-1) as string) : '';
  return last.split('\n').some((line) => /^Mainstay-Allow:\s*stop\s*$/i.test(line));
}
