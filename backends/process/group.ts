/**
 * Ends the processes of an instance: its group, and what left the group but carries its markers. A signal is sent only to
 * what is provably ours: the leader is the recorded process (pid and start time), or a member carries our markers. A
 * group number that now belongs to someone else is left alone.
 */
import { sendSignal } from '../../src/adapters/system/signal.ts';
import type { Clock, ProcessInfo, ProcessTable } from '../../src/ports.ts';
import { instanceMarker, ownerMarker } from './instance.ts';

export interface GroupTarget {
  readonly id: string;
  readonly pid: number;
  readonly startTime: string | null;
  /** The leader's end has just been told to us as its parent: what is left of the group is ours without further proof. */
  readonly justExited: boolean;
}

export interface GroupTools {
  readonly owner: string;
  readonly clock: Clock;
  readonly processes: ProcessTable;
}

/** What is still there of a target. */
interface Census {
  readonly group: boolean;
  readonly strays: readonly ProcessInfo[];
}

/** A killed process that is not gone after this is stuck in the kernel or belongs to somebody we may not signal. */
const KILL_LIMIT_MS = 5_000;

/**
 * SIGTERM, then SIGKILL from `ending.deadline` on (which may be moved meanwhile). True when nothing is left, false when
 * something outlived SIGKILL.
 */
export async function endGroup(
  target: GroupTarget,
  ending: { readonly deadline: number },
  tools: GroupTools,
): Promise<boolean> {
  const { clock } = tools;
  let asked = false;
  let killedAt: number | null = null;
  let known = target.justExited;
  for (let pause = 4; ; pause = Math.min(pause * 2, 40)) {
    const left = await takeCensus(target, known, tools);
    // Once proven, a group stays ours while it is watched this closely, also after its leader has gone.
    known = left.group;
    if (!left.group && left.strays.length === 0) return true;
    const now = clock.now();
    if (now >= ending.deadline) {
      killedAt ??= now;
      if (now - killedAt > KILL_LIMIT_MS) return false;
      signal(target, left, 'SIGKILL');
    } else if (!asked) {
      asked = true;
      if (left.group) signal(target, { group: true, strays: await findStrays(target, tools) }, 'SIGTERM');
      else signal(target, left, 'SIGTERM');
    }
    await clock.sleep(Math.max(1, Math.min(pause, Math.max(ending.deadline - now, 4))));
  }
}

/** True when this very process runs; a zombie and a reused pid do not. */
export async function isAlive(
  pid: number,
  startTime: string | null,
  processes: ProcessTable,
): Promise<boolean> {
  const found = await processes.readProcess(pid);
  return found !== null && found.state === 'running' && found.startTime === startTime;
}

/** Cheap: false when no process and no zombie has this number (or group, when negative). Says nothing about whose it is. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The processes that carry both our markers, in whatever group they are now. */
export async function findMarked(id: string, tools: GroupTools): Promise<readonly ProcessInfo[]> {
  const { processes, owner } = tools;
  const marked = await processes.findByEnvironment(instanceMarker(id));
  if (marked.length === 0) return [];
  const owned = new Set((await processes.findByEnvironment(ownerMarker(owner))).map((one) => one.pid));
  return marked.filter((one) => owned.has(one.pid) && one.pid !== process.pid);
}

async function takeCensus(target: GroupTarget, known: boolean, tools: GroupTools): Promise<Census> {
  const leader = await tools.processes.readProcess(target.pid);
  if (leader !== null && leader.state === 'running') {
    // While the leader runs there is no need to look at every process of the machine.
    if (leader.startTime === target.startTime) return { group: true, strays: [] };
    return { group: false, strays: await findStrays(target, tools) };
  }
  if (!exists(-target.pid)) return { group: false, strays: await findStrays(target, tools) };
  const members = await tools.processes.processesInGroup(target.pid);
  const marked = await findMarked(target.id, tools);
  const ours = known || members.some((one) => marked.some((other) => other.pid === one.pid));
  return {
    group: members.length > 0 && ours,
    strays: marked.filter((one) => one.group !== target.pid),
  };
}

async function findStrays(target: GroupTarget, tools: GroupTools): Promise<readonly ProcessInfo[]> {
  return (await findMarked(target.id, tools)).filter((one) => one.group !== target.pid);
}

function signal(target: GroupTarget, left: Census, name: NodeJS.Signals): void {
  if (left.group) sendSignal(-target.pid, name);
  for (const stray of left.strays) sendSignal(stray.pid, name);
}
