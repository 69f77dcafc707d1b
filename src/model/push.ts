/** A push as the hooks report it, and what checks and follows it. */
import type { Quarantine } from '../ports.ts';

export interface RefUpdate {
  readonly ref: string;
  /** Null when the ref is new. */
  readonly before: string | null;
  /** Null when the ref is being deleted. */
  readonly after: string | null;
}

export interface PushRequest {
  readonly updates: readonly RefUpdate[];
  readonly quarantine: Quarantine | null;
  /** Who pushed: a token's name, or the user of a push by path. */
  readonly by: string;
}

/** Prints one line in the pusher's terminal (git adds `remote: `). Never blocks; lines to a gone pusher are dropped. */
export type Print = (line: string) => void;

/** Control's side of the hooks. The work is never owned by the push. */
export interface PushGate {
  /** pre-receive: prints diagnostics or the plan; false refuses the whole push. */
  check(push: PushRequest, print: Print, signal: AbortSignal): Promise<boolean>;
  /** post-receive: the refs have moved. Streams until the verdict, or until the signal says that the pusher left. */
  follow(push: PushRequest, print: Print, signal: AbortSignal): Promise<void>;
}
