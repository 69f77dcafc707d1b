/** The process list as `ps` prints it, for systems without /proc. Start times are exact to the second only. */
import { execFile } from 'node:child_process';
import type { ProcessInfo, ProcessTable } from '../../ports.ts';

const PS_TIMEOUT_MS = 5_000;
const PS_OUTPUT_MAX_BYTES = 32 * 1024 * 1024;
const COLUMNS = 'pid=,pgid=,stat=,lstart=';

/** Environments can be read on macOS alone (and not those of protected programs); elsewhere none are found. */
export function createPsProcessTable(platform: NodeJS.Platform): ProcessTable {
  const running = async (): Promise<readonly ProcessInfo[]> =>
    parse(await ps(['-A', '-o', COLUMNS])).filter((entry) => entry.state === 'running');
  return {
    readProcess: async (pid) => parse(await ps(['-o', COLUMNS, '-p', String(pid)]))[0] ?? null,
    processesInGroup: async (group) => (await running()).filter((entry) => entry.group === group),
    findByEnvironment: async (marker) => {
      if (platform !== 'darwin') return [];
      const pids = new Set(
        (await ps(['-A', '-E', '-ww', '-o', 'pid=,command=']))
          .split('\n')
          .filter((line) => ` ${line} `.includes(` ${marker} `))
          .map((line) => Number.parseInt(line, 10)),
      );
      return (await running()).filter((entry) => pids.has(entry.pid));
    },
  };
}

/** Lines of `pid pgid stat lstart`, lowest pid first; anything else is skipped. */
export function parse(output: string): readonly ProcessInfo[] {
  return output
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S.*?)\s*$/.exec(line))
    .filter((match) => match !== null)
    .map(([, pid, group, stat, started]): ProcessInfo => ({
      pid: Number(pid),
      startTime: `ps:${started?.replaceAll(/\s+/g, ' ')}`,
      state: stat?.startsWith('Z') === true ? 'zombie' : 'running',
      group: Number(group),
    }))
    .toSorted((a, b) => a.pid - b.pid);
}

/** `ps` exits with 1 when it found nothing, which is an answer. */
function ps(args: readonly string[]): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  const options = { env, timeout: PS_TIMEOUT_MS, maxBuffer: PS_OUTPUT_MAX_BYTES };
  return new Promise((resolve, reject) => {
    execFile('ps', [...args], options, (error, stdout) => {
      if (error === null || error.code === 1) resolve(stdout);
      else reject(error);
    });
  });
}
