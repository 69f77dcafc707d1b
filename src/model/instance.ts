/** One run of a unit in a backend: what is asked for, and what is seen. */

/** What stays the same from the request for an instance to its end. */
export interface InstanceIdentity {
  /** From `instanceId`. */
  readonly id: string;
  readonly app: string;
  readonly slot: string;
  /** Digest of the slot (SlotRecord.digest); a different digest under the same id is a different instance. */
  readonly digest: string;
  readonly commit: string;
  readonly port: number;
  readonly internalPort: number | null;
}

export interface InstanceSpec extends InstanceIdentity {
  readonly dir: string;
  readonly command: string | readonly string[];
  /** The whole environment beside what is inherited (PATH, HOME, LANG, TZ, TMPDIR). May hold secrets: never logged. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ObservedInstance extends InstanceIdentity {
  readonly state: 'running' | 'exited';
  readonly startedAt: number;
  /** Backend's own handle for people: a pid, a container id. */
  readonly handle: string;
  readonly exit: InstanceExit | null;
}

/** Every port that was allocated for it. */
export function portsOf({ port, internalPort }: InstanceIdentity): readonly number[] {
  return internalPort === null ? [port] : [port, internalPort];
}

export interface InstanceExit {
  readonly at: number;
  /** Null when unknown (it ended while no daemon was its parent) or when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}
