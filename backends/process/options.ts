/** What the process backend is built from, and its limits. */
import type { Clock, Log, ProcessTable } from '../../src/ports.ts';
import type { LogLimits } from './log-file.ts';

export interface ProcessBackendOptions {
  readonly dataDir: string;
  /** Names this installation; what carries it as MAINSTAY_OWNER is ours. The same across restarts of the daemon. */
  readonly owner: string;
  readonly clock: Clock;
  readonly processes: ProcessTable;
  readonly log: Log;
  /** The daemon's environment, of which only PATH, HOME, LANG, TZ and TMPDIR are handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logLimits?: Partial<LogLimits>;
  /** How often logs are measured. */
  readonly rotateMs?: number;
}

export const LOG_LIMITS: LogLimits = { maxBytes: 10 * 1024 * 1024, keep: 3, files: 20 };
export const ROTATE_MS = 10_000;
/** Adopted instances are looked at this often. Mostly the price of waking up: 0.2 % of a core. */
export const POLL_MS = 150;
/** For an instance that gives way to another digest under the same id. */
export const REPLACE_GRACE_MS = 5_000;
/** Lines of the log that go with a start that failed. */
export const TAIL_LINES = 50;
