/** What happened, as it is streamed by GET /v1/events and to the pusher's terminal. */

export interface Event {
  /** Rises; resumes a stream (`Last-Event-ID`). Seeded from the clock so that a restart goes on above. */
  readonly id: number;
  readonly at: string;
  /** Kebab-case, from the table in docs/operations.md, e.g. `commit-converged`, `action-started`, `instance-exited`. */
  readonly type: string;
  readonly unit?: string;
  /** Intent commit it is about. */
  readonly commit?: string;
  /** One line for a person. */
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}
