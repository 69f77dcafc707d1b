/** What /proc says: which processes belong to a test's folder, and whether one is alive (a zombie is not). */
import { readdir, readFile, readlink } from 'node:fs/promises';

export interface Found {
  readonly pid: number;
  readonly parent: number;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** True while the process runs; zombies count as dead. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state !== '' && state !== 'Z' && state !== 'X';
}

/** Every live process whose arguments, environment or working folder mention `root`, but this one. */
export async function processesOf(root: string): Promise<readonly Found[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.filter((pid) => pid !== process.pid).map((pid) => inspect(pid, root)));
  return found.filter((one) => one !== null);
}

/** The processes of an app's versions under `root`: those that were given MAINSTAY_APP. */
export async function unitsOf(root: string, app?: string): Promise<readonly Found[]> {
  const all = await processesOf(root);
  return all.filter((one) => {
    const name = one.env['MAINSTAY_APP'];
    return name !== undefined && (app === undefined || name === app);
  });
}

/** Their pids in ascending order, to compare a moment with another. */
export function pidsOf(found: readonly Found[]): readonly number[] {
  return found.map((one) => one.pid).toSorted((a, b) => a - b);
}

/** Mainstay's own process beside the daemon: its arguments carry the data folder. */
export async function proxyOf(data: string, daemonPids: readonly number[]): Promise<Found | undefined> {
  const own = await processesOf(data);
  return own.find(
    (one) =>
      !daemonPids.includes(one.pid) &&
      one.env['MAINSTAY_APP'] === undefined &&
      one.argv.some((word) => word.includes(data)) &&
      one.argv.some((word) => /proxy/.test(word)),
  );
}

/** SIGKILL, and nothing said when it has ended already. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // already gone
  }
}

async function inspect(pid: number, root: string): Promise<Found | null> {
  try {
    const [cmdline, environ, cwd] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile(`/proc/${pid}/environ`, 'utf8'),
      readlink(`/proc/${pid}/cwd`),
    ]);
    if (!cmdline.includes(root) && !environ.includes(root) && !cwd.startsWith(root)) return null;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    const env = Object.fromEntries(
      environ
        .split('\0')
        .filter((pair) => pair.includes('='))
        .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
    return { pid, parent: Number(fields[1]), argv: cmdline.split('\0').filter(Boolean), cwd, env };
  } catch {
    return null;
  }
}
