/**
 * The record of one instance: DATA/run/instances/<id>.json, mode 0600, without the values of its environment.
 *
 * It is written before the process is started (without a pid) and again after, so that a daemon killed in between finds
 * what it began. Each write replaces the file in one step. It is not synced: a record has to outlive the daemon, but
 * nothing that it describes outlives a power cut, and an unreadable record is treated as none.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InstanceExit, InstanceSpec, ObservedInstance } from '../../src/model/instance.ts';

export interface InstanceRecord extends Omit<InstanceSpec, 'env'> {
  readonly version: 1;
  readonly startedAt: number;
  /** Leader of the process group. Null while it is being started. */
  readonly pid: number | null;
  /** See ProcessInfo.startTime. Null when it had ended before it could be read. */
  readonly startTime: string | null;
  readonly exit: InstanceExit | null;
}

export interface RecordFolder {
  /** Every readable record, and the ids of those that could not be read. Rejects when the folder cannot be read. */
  readAll(): Promise<{ readonly records: readonly InstanceRecord[]; readonly broken: readonly string[] }>;
  write(record: InstanceRecord): Promise<void>;
  delete(id: string): Promise<void>;
}

/** Ids are file names here; ours always are. */
const SAFE_ID = /^[a-z0-9][a-z0-9@.-]*$/;

export function createRecordFolder(folder: string): RecordFolder {
  const fileOf = (id: string): string => {
    if (!SAFE_ID.test(id)) throw new Error(`not an instance id: ${JSON.stringify(id)}`);
    return join(folder, `${id}.json`);
  };
  return {
    async readAll() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).toSorted();
      const records: InstanceRecord[] = [];
      const broken: string[] = [];
      for (const name of names) {
        const id = name.slice(0, -'.json'.length);
        if (!SAFE_ID.test(id)) continue;
        const record = parseRecord(id, await readFile(join(folder, name), 'utf8'));
        if (record === null) broken.push(id);
        else records.push(record);
      }
      return { records, broken };
    },
    async write(record) {
      const file = fileOf(record.id);
      const next = `${file}.next`;
      await writeFile(next, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
      await rename(next, file);
    },
    async delete(id) {
      await rm(fileOf(id), { force: true });
    },
  };
}

/** The record of a start that is about to be tried. */
export function newRecord(spec: InstanceSpec, startedAt: number): InstanceRecord {
  return {
    version: 1,
    id: spec.id,
    app: spec.app,
    slot: spec.slot,
    digest: spec.digest,
    commit: spec.commit,
    dir: spec.dir,
    command: spec.command,
    port: spec.port,
    internalPort: spec.internalPort,
    startedAt,
    pid: null,
    startTime: null,
    exit: null,
  };
}

export function observed(record: InstanceRecord): ObservedInstance {
  return {
    id: record.id,
    app: record.app,
    slot: record.slot,
    digest: record.digest,
    commit: record.commit,
    port: record.port,
    internalPort: record.internalPort,
    state: record.exit === null ? 'running' : 'exited',
    startedAt: record.startedAt,
    handle: String(record.pid ?? ''),
    exit: record.exit,
  };
}

function parseRecord(id: string, text: string): InstanceRecord | null {
  try {
    const value = JSON.parse(text) as Partial<InstanceRecord> | null;
    const whole =
      value?.version === 1 &&
      value.id === id &&
      typeof value.digest === 'string' &&
      typeof value.startedAt === 'number' &&
      (value.pid === null || isPid(value.pid)) &&
      value.exit !== undefined;
    return whole ? (value as InstanceRecord) : null;
  } catch {
    return null;
  }
}

/** 0, 1 and negative numbers stand for groups of processes, or for all of them, where a signal is sent. */
function isPid(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value > 1;
}
