/**
 * What the control loop offers to the API, in the API's own shapes (snake_case goes out as it stands). The API adds
 * transport, roles and limits; it decides nothing.
 */
import type { Result } from '../base/result.ts';
import type { LogLine, LogQuery } from '../ports.ts';
import type { ActionNote, AppNote, CommitState, PlanCounts } from './commit-record.ts';
import type { Event } from './event.ts';
import type { ShownPlan } from './plan.ts';
import type { HealthReport, JournalEntry } from './slot.ts';

/** GET /status: the seed's six fields, and what else people ask for. Empty strings where there is nothing. */
export interface AppStatus {
  readonly app: string;
  readonly live_slot: string;
  readonly live_commit: string;
  readonly previous_slot: string;
  readonly previous_commit: string;
  /** RFC 3339, or empty. */
  readonly last_deploy_time: string;
  readonly healthy: boolean;
  readonly staging_dir: string;
  /** What intent wants now; empty when the source could not be resolved. */
  readonly desired_commit: string;
  readonly state: 'converged' | 'deploying' | 'restarting' | 'held' | 'waiting' | 'suspended' | 'stopping';
  /** Why it is not converged; empty when it is. */
  readonly reason: string;
  readonly url: string;
  readonly instances: readonly InstanceStatus[];
}

export interface InstanceStatus {
  readonly id: string;
  readonly slot: string;
  readonly role: 'live' | 'previous' | 'starting' | 'draining';
  readonly state: 'running' | 'exited';
  readonly healthy: boolean;
  readonly handle: string;
  readonly port: number;
  readonly started_at: string;
}

export interface SystemStatus {
  readonly mode: 'normal' | 'degraded' | 'draining';
  /** The commit being kept true, and the newest one on the branch (differ while an invalid one is held). */
  readonly commit: string;
  readonly head: string;
  readonly state: CommitState | 'empty';
  readonly reason: string;
  readonly branch: string;
  readonly presence: string;
  readonly apps: readonly AppStatus[];
  readonly drift: readonly Drift[];
  readonly started_at: string;
  readonly version: string;
}

/** Something found other than as left: what, since when, and what is done about it. */
export interface Drift {
  readonly unit: string;
  readonly found: string;
  readonly at: string;
}

/** POST /deploy and /rollback (seed 003). */
export interface DeployAnswer {
  readonly success: boolean;
  readonly slot: string;
  readonly commit: string;
  readonly previous_commit: string;
  readonly reason?: string;
  readonly health?: HealthReport;
  readonly log_tail?: readonly string[];
}

export interface CommitStatus {
  readonly commit: string;
  readonly state: CommitState;
  readonly at: string;
  readonly took_ms: number | null;
  readonly by: string;
  readonly subject: string;
  readonly plan: PlanCounts | null;
  readonly apps: Readonly<Record<string, AppNote>>;
  readonly actions: readonly ActionNote[];
  readonly reason: string | null;
  readonly diagnostics: readonly string[];
  readonly superseded_by: string | null;
  readonly revision: number;
  /** What `mainstay wait` answers. `commit` is the one that decided: this one, or a descendant that superseded it. */
  readonly verdict: {
    readonly done: boolean;
    readonly ok: boolean;
    readonly commit: string;
    readonly message: string;
  };
}

export type HistoryItem = Pick<
  CommitStatus,
  'commit' | 'at' | 'by' | 'subject' | 'state' | 'took_ms' | 'reason' | 'apps'
>;

export interface Page<T> {
  readonly items: readonly T[];
  /** Pass as `cursor` for the next page; null on the last one. */
  readonly next: string | null;
}

export interface Why {
  readonly unit: string;
  readonly wanted: string;
  readonly is: string;
  /** The last thing done to it, and on whose word. */
  readonly last_action:
    | (ActionNote & { readonly at: string; readonly commit: string; readonly observed: string })
    | null;
  readonly blocked: { readonly code: string; readonly reason: string; readonly until: string | null } | null;
  readonly next: string;
}

export interface EventFeed {
  /** Events after `id` that are still kept; `gap` when older ones are gone. */
  since(id: number): { readonly events: readonly Event[]; readonly gap: boolean };
  subscribe(listener: (event: Event) => void): () => void;
  readonly last: number;
}

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/** Who asks, for the commits that the imperative calls write. */
export interface Caller {
  readonly name: string;
  readonly role: string;
}

export interface ControlPlane {
  readonly events: EventFeed;
  ready(): boolean;
  status(): Promise<SystemStatus>;
  apps(): readonly string[];
  app(name: string): Promise<Result<AppStatus>>;
  /** The plan of a ref (default: the watched branch) against what is live, or against another ref's intent. */
  plan(
    ref: string | null,
    against: string | null,
  ): Promise<Result<ShownPlan & { readonly diagnostics: readonly string[] }>>;
  commit(ref: string): Promise<Result<CommitStatus>>;
  /** Resolves when the verdict is done, or the revision differs from `revision`, or the time is up: with what is then so. */
  waitCommit(
    ref: string,
    options: { readonly revision: number | null; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<Result<CommitStatus>>;
  history(query: {
    readonly app?: string;
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<Page<HistoryItem>>;
  journal(app: string, limit: number): Promise<Result<readonly JournalEntry[]>>;
  why(unit: string): Promise<Result<Why>>;
  /** Resolves once the version is promoted or refused. `dryRun`: only the plan. */
  deploy(app: string, commit: string, caller: Caller): Promise<Result<DeployAnswer>>;
  rollback(app: string, caller: Caller): Promise<Result<DeployAnswer>>;
  planDeploy(app: string, commit: string): Promise<Result<ShownPlan>>;
  planRollback(app: string): Promise<Result<ShownPlan>>;
  suspend(unit: string, suspended: boolean, caller: Caller): Promise<Result<{ readonly commit: string }>>;
  restart(unit: string, caller: Caller): Promise<Result<{ readonly unit: string }>>;
  logs(unit: string, query: LogQuery, signal: AbortSignal): Promise<Result<AsyncIterable<LogLine>>>;
  metrics(): Promise<readonly Metric[]>;
  /** Drains and stops everything that runs, then ends the daemon. Resolves when the drain has begun. */
  shutdown(caller: Caller): Promise<void>;
}
