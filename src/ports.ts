/**
 * Every side effect as a small interface. The control loop and the features see the world through these alone;
 * adapters and backends implement them, the simulator replaces them.
 *
 * Conventions: `*Ms` are milliseconds, times are milliseconds since the epoch, a wait takes an AbortSignal, an
 * expected failure is a Result, a rejected promise is a bug or a crash.
 */
import type { Result } from './base/result.ts';
import type { CommitRecord } from './model/commit-record.ts';
import type { Hold, HoldKind } from './model/hold.ts';
import type { InstanceSpec, ObservedInstance } from './model/instance.ts';
import type { JournalEntry, SlotLinks, SlotRecord } from './model/slot.ts';
import type { ProxyTable } from './model/routes.ts';
import type { SourceRef, SourceVersion } from './model/source.ts';
import type { TokenRecord } from './model/token.ts';

export interface Clock {
  now(): number;
  /** True when the time has passed, false when the signal ended the wait first. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<boolean>;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Hex characters from a cryptographic source. */
  hex(bytes: number): string;
}

/** Structured log: constant message, facts as fields. Secrets are scrubbed behind this port, in one place. */
export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

// ---------------------------------------------------------------- git

export interface TreeEntry {
  readonly path: string;
  readonly oid: string;
  /** As git writes it: 100644, 100755, 120000 (symlink), 160000 (submodule). */
  readonly mode: string;
}

export interface TreeChange {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
  /** Mode of `after`, or of `before` when the path is gone. */
  readonly mode: string;
}

export interface CommitInfo {
  readonly oid: string;
  readonly tree: string;
  readonly parents: readonly string[];
  /** `Name <mail>`. */
  readonly author: string;
  readonly at: number;
  readonly message: string;
}

/** Where git keeps the objects of a push that is still being checked (see git-receive-pack, quarantine). */
export interface Quarantine {
  readonly objectDirectory: string;
  readonly alternates: string;
}

/** A blob as read, or why not: `too-large` (over the limit given), `missing`. */
export type BlobRead = Uint8Array | 'too-large' | 'missing';

export interface IntentRepository {
  /** Full ref name that the daemon acts on, e.g. `refs/heads/main`. */
  readonly watchedRef: string;
  /** Absolute path of the repository (the git dir for a bare one, the work tree otherwise). */
  readonly path: string;
  /** Commit that a ref, an abbreviated or a full hash names, annotated tags peeled; null when there is none. */
  resolve(ref: string): Promise<string | null>;
  commit(oid: string, quarantine?: Quarantine): Promise<CommitInfo | null>;
  /** Every blob, symlink and submodule entry under the commit, sorted by path. */
  list(commit: string, quarantine?: Quarantine): Promise<readonly TreeEntry[]>;
  /** What differs, by object id alone (no renames). `from` null means the empty tree. */
  diff(from: string | null, to: string, quarantine?: Quarantine): Promise<readonly TreeChange[]>;
  read(
    oids: readonly string[],
    maxBytes: number,
    quarantine?: Quarantine,
  ): Promise<ReadonlyMap<string, BlobRead>>;
  /** Object id of the tree or blob at `path` (`.` is the root) in that commit; null when it is not there. */
  pathOid(commit: string, path: string): Promise<string | null>;
  isAncestor(ancestor: string, descendant: string, quarantine?: Quarantine): Promise<boolean>;
  /** Commits in `old..new` (all of `new` when old is null), newest first, at most `limit`. */
  range(old: string | null, to: string, limit: number): Promise<readonly string[]>;
  /**
   * Writes one commit on the watched branch on top of `parent` and moves the ref by compare-and-swap; a checked-out
   * work tree follows. Fails with `ref-moved` (retry) when the branch is no longer at `parent`, and with
   * `work-tree-dirty` when the user's own uncommitted edits are in the way.
   */
  commitChange(change: CommitChange): Promise<Result<string>>;
  /** Yields whenever refs may have changed (file events and a periodic re-resolve). Level-triggered: re-read. */
  watch(signal: AbortSignal): AsyncIterable<void>;
}

export interface CommitChange {
  readonly parent: string | null;
  readonly files: readonly { readonly path: string; readonly text: string | null }[];
  /** `Name <mail>`. */
  readonly author: string;
  readonly message: string;
}

/** The one writer of refs/notes/mainstay. Compare-and-swap against other writers; their text is kept beside ours. */
export interface NoteWriter {
  /** Resolves when the note is on the ref. `text` is one YAML mapping. Rewrites ours, keeps what others wrote. */
  write(notes: readonly { readonly commit: string; readonly text: string }[]): Promise<Result<void>>;
}

/** The notes of the intent repository. */
export interface IntentNotes extends NoteWriter {
  /** Every note on the ref, in no particular order; `ours` null where the note is somebody else's alone. */
  list(): Promise<readonly { readonly commit: string; readonly ours: string | null }[]>;
}

export interface SourceStore {
  /** What `ref` names now. `intentCommit` is what `repo: .` (the intent repository itself) resolves against. */
  resolve(source: SourceRef, intentCommit: string, signal: AbortSignal): Promise<Result<SourceVersion>>;
  /** Yields whenever one of the sources may have moved (local: file events; remote: polled with jitter). */
  watch(sources: () => readonly SourceRef[], signal: AbortSignal): AsyncIterable<void>;
  /** What `sources` answers has changed: it is read again at once, not only at the next poll. */
  reread(): void;
}

// ---------------------------------------------------------------- slots

export interface CheckoutRequest {
  readonly app: string;
  readonly version: SourceVersion;
  /** Name of the slot folder, from `slotName`. */
  readonly slot: string;
  readonly sharedDirs: readonly string[];
}

/**
 * The folders of each app: exactly live, previous and staging between deploys. `slots.json` is the record (written
 * atomically and synced); the symlinks `live` and `prev` follow it and are repaired by `recover`.
 */
export interface SlotStore {
  apps(): Promise<readonly string[]>;
  links(app: string): Promise<SlotLinks>;
  /** Absolute folder of a slot. */
  dir(app: string, slot: string): string;
  stagingDir(app: string): string;
  /** True when the slot's folder is there and holds what was checked out. */
  intact(app: string, slot: string): Promise<boolean>;
  /** Lays the tree over staging (artefacts of former builds stay), links shared_dirs, renames staging to the slot. */
  checkout(request: CheckoutRequest, signal: AbortSignal): Promise<Result<string>>;
  /** A deploy failed: the slot's folder becomes staging again, so that its artefacts are not lost. */
  abandon(app: string, slot: string): Promise<void>;
  /**
   * Durable: live = `record`, previous = what was live (null when nothing was; unchanged when that was the same digest
   * in another slot). One atomic write, then the links.
   */
  promote(app: string, record: SlotRecord): Promise<SlotLinks>;
  /** Removes every folder but live, previous and staging, and lays staging anew from live. Safe at any time. */
  tidy(app: string): Promise<void>;
  /** At start: finishes or undoes what a crash left half done. */
  recover(app: string): Promise<void>;
  /** The app is gone from intent: removes its folders; shared_dirs and the journal stay. */
  remove(app: string): Promise<void>;
  /** Append-only and synced before it resolves. */
  journal(entry: JournalEntry): Promise<void>;
  readJournal(app: string, limit: number): Promise<readonly JournalEntry[]>;
}

/** Runs `setup_command` in the slot in a process group of its own; ended as a group at the limit or on abort. */
export interface CommandRunner {
  run(request: CommandRequest, signal: AbortSignal): Promise<Result<void>>;
}

export interface CommandRequest {
  readonly app: string;
  readonly slot: string;
  readonly dir: string;
  readonly command: string | readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Puts `env_file` and secrets where a process can read them; values never leave this port but in `env`. */
export interface Environment {
  resolve(request: EnvironmentRequest): Promise<Result<Readonly<Record<string, string>>>>;
  /** Removes the secret files of a slot. */
  forget(app: string, slot: string): Promise<void>;
}

export interface EnvironmentRequest {
  readonly app: string;
  readonly slot: string;
  readonly dir: string;
  readonly envFile: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly { readonly name: string; readonly file: string }[];
}

// ---------------------------------------------------------------- running things

export type BackendEvent =
  | { readonly type: 'exited'; readonly instance: string }
  /** Something changed that the backend cannot name: observe again. */
  | { readonly type: 'changed' };

export interface LogLine {
  readonly at: number | null;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface LogQuery {
  readonly tail?: number;
  readonly follow?: boolean;
}

/** Owned things carry an owner and the digest of their spec. See backends/README.md and test/conformance. */
export interface Backend {
  readonly name: string;
  /** Everything this owner has here, running or exited, or a failure; never a part taken for the whole. */
  observe(): Promise<Result<readonly ObservedInstance[]>>;
  /** Idempotent by id and digest: the same spec twice starts one instance. Resolves when it has been started. */
  apply(spec: InstanceSpec, signal: AbortSignal): Promise<Result<ObservedInstance>>;
  /** SIGTERM to the whole group, SIGKILL after `graceMs` (0: at once); forgets the instance. Absent is fine. */
  remove(id: string, graceMs: number): Promise<Result<'deleted' | 'absent'>>;
  logs(id: string, query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine>;
  /** Calls back as soon as an exit is known; the returned function ends it. */
  subscribe(listener: (event: BackendEvent) => void): () => void;
  /** Stops watching; touches nothing that runs. */
  close(): Promise<void>;
}

/** One entry of the operating system's process list. */
export interface ProcessInfo {
  readonly pid: number;
  /** Opaque. Together with the pid it names one process for ever: a reused pid, also after a reboot, differs. */
  readonly startTime: string;
  /** `zombie`: it has ended and waits for its parent to read how; counts as dead everywhere. */
  readonly state: 'running' | 'zombie';
  /** Process group id. */
  readonly group: number;
}

/** What runs on this machine, seen from outside. Reads only; a process that cannot be read is not there. */
export interface ProcessTable {
  /** Null when there is no such process. A zombie is returned as one. */
  readProcess(pid: number): Promise<ProcessInfo | null>;
  /** The processes of a group that still run (no zombies), oldest pid first. Empty: the group is gone. */
  processesInGroup(group: number): Promise<readonly ProcessInfo[]>;
  /**
   * The running processes of this user whose environment at their start held exactly `NAME=value`. Empty where the
   * system does not let us read environments: a help to find strays, never the only record of what we own.
   */
  findByEnvironment(marker: string): Promise<readonly ProcessInfo[]>;
}

export interface PortAllocator {
  /** `count` loopback ports that nothing listens on, not handed out again before `release`. */
  allocate(count: number): Promise<readonly number[]>;
  release(ports: readonly number[]): void;
}

export interface ProbeRequest {
  readonly port: number;
  readonly path: string;
  readonly timeoutMs: number;
}

export type ProbeAnswer =
  | { readonly kind: 'answered'; readonly status: number }
  /** Nothing listens on the port. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface Probe {
  /** One GET to 127.0.0.1 on a connection of its own. */
  http(request: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer>;
}

// ---------------------------------------------------------------- proxy

export interface ListenFailure {
  readonly host: string;
  readonly port: number;
  readonly message: string;
}

export interface ProxyStats {
  readonly generations: Readonly<
    Record<string, { readonly inFlight: number; readonly requests: number; readonly errors: number }>
  >;
  readonly version: number;
  readonly rssBytes: number;
}

/** Steers the data-plane process; starts it when there is none and adopts the one that runs. */
export interface Proxy {
  /** Makes the proxy serve exactly this table. Each generation keeps its pool and count across tables by id. */
  apply(table: ProxyTable): Promise<Result<readonly ListenFailure[]>>;
  /** Resolves with the requests still in flight: 0, or more at the deadline. Then that generation's pool is closed. */
  drain(generation: string, timeoutMs: number, signal: AbortSignal): Promise<Result<number>>;
  stats(): Promise<Result<ProxyStats>>;
  /** Ends the proxy process (shutdown). Closing the daemon's side alone is `close`. */
  stop(graceMs: number): Promise<void>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------- people and the machine

/** Delivers an alert. */
export interface Webhook {
  post(url: string, body: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<Result<void>>;
}

export interface DiskRoom {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Room left where DATA lives; null when it cannot be told. */
export interface Disk {
  free(): Promise<DiskRoom | null>;
}

// ---------------------------------------------------------------- durable records

/** Small durable tables. A call returns when the write would survive a power cut. */
export interface Store {
  readonly commits: CommitTable;
  readonly holds: HoldTable;
  readonly values: ValueTable;
  close(): void;
}

export interface CommitTable {
  get(commit: string): CommitRecord | null;
  /** Writes the record and marks its note as not yet written. */
  put(record: CommitRecord): void;
  /** Newest first by the order in which the daemon saw them; `before` is a `seq`. */
  list(query: {
    readonly limit: number;
    readonly before?: number;
    readonly app?: string;
  }): readonly CommitRecord[];
  /** Records in no terminal state, oldest first. */
  unfinished(): readonly CommitRecord[];
  /** Records whose note is not on the ref yet, oldest first. */
  unnoted(limit: number): readonly CommitRecord[];
  /** The note for exactly this revision of the record is on the ref. */
  noted(commit: string, revision: number): void;
  /** True when some commit with this tree has converged. */
  treeConverged(tree: string): boolean;
  /** How many records are not noted yet. */
  unnotedCount(): number;
}

export interface HoldTable {
  all(): readonly Hold[];
  put(hold: Hold): void;
  delete(unit: string, kind: HoldKind): void;
}

export interface ValueTable {
  get(key: string): string | null;
  put(key: string, value: string | null): void;
}

/** Access tokens by hash. Beside `Store`, because only the API has business with them. */
export interface TokenTable {
  byHash(hash: string): TokenRecord | null;
  /** Oldest first, revoked and expired ones included. */
  all(): readonly TokenRecord[];
  /** False when the name is taken by a token that is neither revoked nor expired at `record.createdAt`. */
  create(record: TokenRecord): boolean;
  /** False when no live token has that name. */
  revoke(name: string, at: number): boolean;
}
