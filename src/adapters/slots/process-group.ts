/** Ends process groups of commands that we started. Signals only; whom to end is the caller's decision. */
import type { Clock, ProcessInfo, ProcessTable } from '../../ports.ts';
import { sendSignal } from '../system/signal.ts';

export interface GroupTools {
  readonly clock: Clock;
  readonly processes: ProcessTable;
}

const LOOK_EVERY_MS = 20;
/** A process that is still there so long after SIGKILL hangs in the kernel: waiting on helps nobody. */
const KILLED_WAIT_MS = 2_000;

/** SIGTERM to every process of the group, SIGKILL after `graceMs`. True when none of them runs any more. */
export async function endGroup(tools: GroupTools, group: number, graceMs: number): Promise<boolean> {
  sendSignal(-group, 'SIGTERM');
  if (await isGone(tools, group, graceMs)) return true;
  sendSignal(-group, 'SIGKILL');
  return isGone(tools, group, KILLED_WAIT_MS);
}

/** SIGKILL to single processes, each only while the pid still is the process that was seen. */
async function killProcesses(tools: GroupTools, found: readonly ProcessInfo[]): Promise<void> {
  for (const process of found) {
    const now = await tools.processes.readProcess(process.pid);
    if (now?.startTime !== process.startTime || now.state !== 'running') continue;
    sendSignal(process.pid, 'SIGKILL');
  }
}

/** SIGKILL to every process with this entry in its environment; waits a short while until none runs any more. */
export async function endMarked(tools: GroupTools, marker: string): Promise<void> {
  const until = tools.clock.now() + KILLED_WAIT_MS;
  for (;;) {
    const found = await tools.processes.findByEnvironment(marker);
    if (found.length === 0 || tools.clock.now() >= until) return;
    await killProcesses(tools, found);
    await tools.clock.sleep(LOOK_EVERY_MS);
  }
}

async function isGone(tools: GroupTools, group: number, withinMs: number): Promise<boolean> {
  const until = tools.clock.now() + withinMs;
  for (;;) {
    if ((await tools.processes.processesInGroup(group)).length === 0) return true;
    if (tools.clock.now() >= until) return false;
    await tools.clock.sleep(LOOK_EVERY_MS);
  }
}
