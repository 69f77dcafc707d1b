/** Remembers which setup commands run, so that the next daemon can end those that a killed one left behind. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessInfo } from '../../ports.ts';

/** A process group by its leader, which a reused pid is not. */
export interface SetupProcess {
  readonly pid: number;
  readonly startTime: string;
}

/** Not synced: after a power cut nothing runs that would have to be found. */
export async function writeSetup(folder: string, found: ProcessInfo): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${found.pid}.json`);
  await writeFile(`${path}.tmp`, JSON.stringify({ pid: found.pid, startTime: found.startTime }));
  await rename(`${path}.tmp`, path);
  return path;
}

/** What former daemons wrote; files that cannot be read are skipped. Forgets all of it. */
export async function takeSetups(folder: string): Promise<readonly SetupProcess[]> {
  const found: SetupProcess[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const setup = parse(await readFile(path, 'utf8').catch(() => ''));
    if (setup !== null) found.push(setup);
    await rm(path, { force: true });
  }
  return found;
}

function parse(text: string): SetupProcess | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    const { pid, startTime } = value as Readonly<Record<string, unknown>>;
    return Number.isSafeInteger(pid) && typeof startTime === 'string'
      ? { pid: Number(pid), startTime }
      : null;
  } catch {
    return null;
  }
}
