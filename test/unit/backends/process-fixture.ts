/** A process backend on a folder of its own, and specs for it. Everything is ended and removed by `cleanup`. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProcessBackend } from '../../../backends/process/backend.ts';
import type { ProcessBackendOptions } from '../../../backends/process/options.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import { createProcessTable } from '../../../src/adapters/system/process-table.ts';
import type { InstanceSpec } from '../../../src/model/instance.ts';
import { eventually } from '../../support/wait.ts';
import type { Backend, Log, ProcessInfo } from '../../../src/ports.ts';

export const processes = createProcessTable();
export const never = new AbortController().signal;

export interface ProcessFixture {
  readonly dataDir: string;
  readonly warnings: string[];
  readonly open: (more?: Partial<ProcessBackendOptions>) => Backend;
  readonly spec: (
    n: number,
    command: string | readonly string[],
    more?: Partial<InstanceSpec>,
  ) => InstanceSpec;
  /** Everything that runs with this fixture's owner in its environment. */
  readonly owned: () => Promise<readonly ProcessInfo[]>;
  readonly cleanup: () => Promise<void>;
}

export async function createFixture(): Promise<ProcessFixture> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mainstay-backend-'));
  const warnings: string[] = [];
  const note = (message: string): void => void warnings.push(message);
  const log: Log = { info: () => undefined, warn: note, error: note };
  const opened: Backend[] = [];
  const owned = (): Promise<readonly ProcessInfo[]> =>
    processes.findByEnvironment(`MAINSTAY_OWNER=${dataDir}`);
  return {
    dataDir,
    warnings,
    owned,
    open(more) {
      const environment = { PATH: process.env['PATH'] };
      const options = { dataDir, owner: dataDir, clock: systemClock, processes, log, environment };
      const backend = createProcessBackend({ ...options, ...more });
      opened.push(backend);
      return backend;
    },
    spec: (n, command, more) => ({
      id: `web@slot-0000000a.${n}`,
      app: 'web',
      slot: 'slot-0000000a',
      digest: 'a digest',
      commit: 'a commit',
      dir: dataDir,
      command,
      env: {},
      port: 4000 + n,
      internalPort: null,
      ...more,
    }),
    async cleanup() {
      for (const one of opened) await one.close();
      for (const one of await owned()) await end(one.pid);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Kills one process and waits until it is dead. */
export async function end(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
  await eventually(`the end of ${pid}`, async () => (await processes.readProcess(pid))?.state !== 'running');
}

/** The text of every file under a folder, by its path. */
export async function texts(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      found.set(path, await readFile(path, 'utf8'));
    }
  }
  return found;
}
