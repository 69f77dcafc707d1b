/** Starts an instance so that a daemon killed at any point in between knows what it began. */
import { err, failure, ok } from '../../src/base/result.ts';
import type { Failure, Result } from '../../src/base/result.ts';
import type { InstanceSpec, ObservedInstance } from '../../src/model/instance.ts';
import type { Instance } from './instance.ts';
import type { LogFolder } from './log-file.ts';
import { tail } from './log-reader.ts';
import { REPLACE_GRACE_MS, TAIL_LINES } from './options.ts';
import type { ProcessBackendOptions } from './options.ts';
import { newRecord, observed } from './record.ts';
import type { RecordFolder } from './record.ts';
import type { Roster } from './roster.ts';
import { instanceEnvironment, startProcess } from './spawn.ts';

export interface StartTools {
  readonly options: ProcessBackendOptions;
  readonly roster: Roster;
  readonly records: RecordFolder;
  readonly logs: LogFolder;
  /** Numbers calls and starts in one order. */
  readonly next: () => number;
}

/** Makes `spec` run. `asked` is the number of the call: a start that came after it answers it too. */
export async function ensureStarted(
  spec: InstanceSpec,
  asked: number,
  signal: AbortSignal,
  tools: StartTools,
): Promise<Result<ObservedInstance>> {
  const { roster, options } = tools;
  const there = roster.get(spec.id);
  if (there !== undefined) {
    const same = there.record.digest === spec.digest;
    // One that was started for a call made at the same time and has ended already is not started once more.
    if (same && (there.record.exit === null || there.startedSeq > asked)) return ok(observed(there.record));
    if (signal.aborted) return err(aborted(spec));
    const ended = await roster.end(there, options.clock.now() + (same ? 0 : REPLACE_GRACE_MS));
    if (!ended.ok) return ended;
  }
  if (signal.aborted) return err(aborted(spec));
  return start(spec, tools);
}

async function start(spec: InstanceSpec, tools: StartTools): Promise<Result<ObservedInstance>> {
  const { options, records, roster, logs } = tools;
  const record = newRecord(spec, options.clock.now());
  const output = await logs.openForAppend(spec.id);
  try {
    await records.write(record);
    const environment = instanceEnvironment(spec, options.owner, options.environment);
    const child = await startProcess(spec, environment, output.fd);
    if (!child.ok) {
      await records.delete(spec.id);
      await output.appendFile(`mainstay: ${child.error.message}\n`);
      return err(await withTail(child.error, logs.path(spec.id)));
    }
    const { pid } = child.value;
    const instance: Instance = {
      record: { ...record, pid },
      child: true,
      ending: null,
      startedSeq: tools.next(),
    };
    child.value.once('exit', (code, name) => {
      roster.exited(instance, { at: options.clock.now(), code, signal: name });
    });
    roster.add(instance);
    const info = await options.processes.readProcess(pid);
    instance.record = { ...instance.record, startTime: info?.startTime ?? null };
    await records.write(instance.record);
    pruneLogs(spec.id, tools);
    return ok(observed(instance.record));
  } finally {
    await output.close();
  }
}

function pruneLogs(id: string, { logs, roster, options }: StartTools): void {
  const inUse = roster.all().map((one) => one.record.id);
  logs.prune(id, inUse).catch((error: unknown) => {
    options.log.warn('old logs could not be removed', { instance: id, error: String(error) });
  });
}

function aborted(spec: InstanceSpec): Failure {
  return failure('aborted', `the start of ${spec.id} was called off before it began`);
}

async function withTail(error: Failure, file: string): Promise<Failure> {
  return { ...error, details: { ...error.details, log_tail: await tail(file, TAIL_LINES) } };
}
