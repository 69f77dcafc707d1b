/** What a command may touch of the world around it; main.ts makes it from `process`, the tests from plain values. */

export interface Context {
  /** Writes to stdout as it stands. */
  out(text: string): void;
  /** Writes to stderr as it stands. */
  err(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** True when stdout is a terminal. */
  readonly terminal: boolean;
  /** True when colour is welcome on stdout: a terminal, and NO_COLOR is not set. */
  readonly color: boolean;
  readonly columns: number;
  /** How this program is started again: executable and leading arguments. */
  readonly self: readonly string[];
  /** From the first call on SIGINT and SIGTERM abort this instead of ending the process. */
  stopSignal(): AbortSignal;
  now(): number;
}

/** 0 done, 1 what was asked for is not so, 2 wrong usage or unreachable, 3 `plan --detailed-exitcode` has work. */
export type ExitCode = 0 | 1 | 2 | 3;

export const EXIT = { done: 0, notSo: 1, usage: 2, work: 3 } as const satisfies Record<string, ExitCode>;
