/** What the daemon knows of one intent commit: the source of its note, of `history`, `wait` and GET /v1/commits. */

export type CommitState =
  | 'pending'
  | 'converging'
  | 'converged'
  | 'failed'
  | 'held'
  | 'superseded'
  | 'invalid';

/** States after which nothing more is said of a commit, unless the world changes under the current one. */
export const TERMINAL: readonly CommitState[] = ['converged', 'failed', 'held', 'superseded', 'invalid'];

export interface CommitRecord {
  /** Order in which the daemon saw it. */
  readonly seq: number;
  /** Rises with every rewrite of this record. */
  readonly revision: number;
  readonly commit: string;
  readonly tree: string;
  readonly state: CommitState;
  readonly seenAt: number;
  /** When it reached this state. */
  readonly at: number;
  readonly tookMs: number | null;
  /** Author of the commit, `Name <mail>`. */
  readonly by: string;
  readonly subject: string;
  readonly plan: PlanCounts | null;
  readonly apps: Readonly<Record<string, AppNote>>;
  readonly actions: readonly ActionNote[];
  readonly reason: string | null;
  readonly diagnostics: readonly string[];
  readonly supersededBy: string | null;
  /** True once any revision reached `converged`; survives a later crash of a unit. */
  readonly everConverged: boolean;
}

export interface PlanCounts {
  readonly start: number;
  readonly stop: number;
  readonly swap: number;
  readonly unchanged: number;
}

export interface AppNote {
  readonly slot: string;
  readonly commit: string;
  readonly previous_commit: string;
  readonly healthy: boolean;
  readonly url: string;
}

export interface ActionNote {
  readonly do: string;
  readonly unit: string;
  readonly because: string;
  readonly result: string;
  readonly took_ms: number;
}
