/** What the process backend holds of one instance while it runs, and the markers by which its processes are known. */
import type { InstanceRecord } from './record.ts';

export interface Instance {
  record: InstanceRecord;
  /** True when this daemon started it: its end is told by the system at once and need not be looked for. */
  readonly child: boolean;
  /** Set while it is being ended. A later, shorter limit moves the deadline of the one that runs. */
  ending: { deadline: number } | null;
  /** Place in the order of calls at which it was started; see `apply`. */
  readonly startedSeq: number;
}

/** `NAME=value` in the environment of every process of this owner. */
export function ownerMarker(owner: string): string {
  return `MAINSTAY_OWNER=${owner}`;
}

/** `NAME=value` in the environment of every process of this instance. */
export function instanceMarker(id: string): string {
  return `MAINSTAY_INSTANCE_ID=${id}`;
}
