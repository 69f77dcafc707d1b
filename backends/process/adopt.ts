/**
 * What a new daemon finds: instances that go on running are taken over, those that ended meanwhile are listed as exited,
 * and processes of ours that no record speaks of are ended. Nothing is decided about what should run.
 */
import { sendSignal } from '../../src/adapters/system/signal.ts';
import type { Log, ProcessInfo } from '../../src/ports.ts';
import { endGroup, findMarked, isAlive } from './group.ts';
import type { GroupTools } from './group.ts';
import { ownerMarker } from './instance.ts';
import type { InstanceRecord, RecordFolder } from './record.ts';

export interface AdoptTools extends GroupTools {
  readonly records: RecordFolder;
  readonly log: Log;
}

/** How long a stray, or what is left of an ended instance, may take to end by itself. */
const STRAY_GRACE_MS = 1_000;
const LOOKS = 4;
const LOOK_AGAIN_MS = 40;

/** The instances of this owner, each looked up in the process table. Rejects when the records cannot be read. */
export async function adoptInstances(tools: AdoptTools): Promise<readonly InstanceRecord[]> {
  const { records, log } = tools;
  const found = await records.readAll();
  for (const id of found.broken) {
    log.warn('instance record is unreadable and was dropped', { instance: id });
    await records.delete(id);
  }
  const adopted: InstanceRecord[] = [];
  for (const record of found.records) {
    const now = record.exit === null ? await lookUp(record, tools) : record;
    if (now === null) await records.delete(record.id);
    else adopted.push(now);
    if (now !== null && now !== record) await records.write(now);
  }
  await endLeftOvers(adopted, tools);
  return adopted;
}

/** The record as it is true now; null when nothing was ever started for it. */
async function lookUp(record: InstanceRecord, tools: AdoptTools): Promise<InstanceRecord | null> {
  const { pid, startTime } = record;
  if (pid !== null && (await isAlive(pid, startTime, tools.processes))) return record;
  if (pid !== null && startTime !== null) return gone(record, tools);
  // The daemon was killed between the start and the writing down of it.
  const leader = await findLeader(record.id, tools);
  if (leader !== null) return { ...record, pid: leader.pid, startTime: leader.startTime };
  return pid === null ? null : gone(record, tools);
}

/** Looks more than once: in the moment in which a process replaces itself by another program it shows no environment. */
async function findLeader(id: string, tools: AdoptTools): Promise<ProcessInfo | null> {
  for (let look = 1; ; look++) {
    const leader = (await findMarked(id, tools)).find((one) => one.pid === one.group);
    if (leader !== undefined) return leader;
    if (look === LOOKS) return null;
    await tools.clock.sleep(LOOK_AGAIN_MS);
  }
}

function gone(record: InstanceRecord, tools: AdoptTools): InstanceRecord {
  return { ...record, exit: { at: tools.clock.now(), code: null, signal: null } };
}

/** Ends every process that carries our owner marker and does not belong to an instance that runs. */
async function endLeftOvers(adopted: readonly InstanceRecord[], tools: AdoptTools): Promise<void> {
  const running = adopted.filter((one) => one.exit === null);
  const groups = new Set(running.map((one) => one.pid));
  const marked = await tools.processes.findByEnvironment(ownerMarker(tools.owner));
  let unknown = marked.filter((one) => !groups.has(one.group) && !isSelf(one));
  if (unknown.length === 0) return;
  // A process that left its group still belongs to its instance.
  for (const record of running) {
    const pids = new Set((await findMarked(record.id, tools)).map((one) => one.pid));
    unknown = unknown.filter((one) => !pids.has(one.pid));
  }
  if (unknown.length === 0) return;
  tools.log.warn('ending processes that no instance accounts for', { pids: unknown.map((one) => one.pid) });
  const deadline = tools.clock.now() + STRAY_GRACE_MS;
  await Promise.all(unknown.map((one) => endStray(one, deadline, tools)));
}

async function endStray(stray: ProcessInfo, deadline: number, tools: AdoptTools): Promise<void> {
  let asked = false;
  for (let pause = 10; await isAlive(stray.pid, stray.startTime, tools.processes); pause = 50) {
    const late = tools.clock.now() >= deadline;
    if (late || !asked) sendSignal(stray.pid, late ? 'SIGKILL' : 'SIGTERM');
    asked = true;
    if (tools.clock.now() >= deadline + STRAY_GRACE_MS) return;
    await tools.clock.sleep(pause);
  }
}

function isSelf(one: ProcessInfo): boolean {
  return one.pid === process.pid || one.pid === process.ppid;
}

/** The leader has ended: ends what is left of its group. */
export async function endRemainder(
  record: InstanceRecord,
  justExited: boolean,
  tools: AdoptTools,
): Promise<void> {
  if (record.pid === null) return;
  const target = { id: record.id, pid: record.pid, startTime: record.startTime, justExited };
  const gone = await endGroup(target, { deadline: tools.clock.now() + STRAY_GRACE_MS }, tools);
  if (!gone) tools.log.error('processes of an ended instance could not be ended', { instance: record.id });
}
