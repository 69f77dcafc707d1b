/** Starts the proxy process so that it outlives the daemon. Decides its arguments, environment and log file. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inherited } from '../base/inherited.ts';
import { PROXY_FOLDER } from './protocol.ts';

const LOG_BYTES_MAX = 1024 * 1024;

export interface Launched {
  readonly pid: number | undefined;
  /** True while the process started here runs. */
  running(): boolean;
}

/** Entry of the process beside this file: TypeScript in a checkout, JavaScript in the built package. */
export function proxyEntry(): string {
  return fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url));
}

/** Starts it in a session of its own; it ends by itself when another one serves this DATA already. */
export function launchProxy(dataDir: string, entry: string): Launched {
  const folder = join(dataDir, PROXY_FOLDER);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const log = openLog(folder);
  let running = true;
  try {
    const child = spawn(process.execPath, [entry, 'proxy', '--data', dataDir], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
      env: inherited(process.env),
    });
    child.once('error', () => (running = false));
    child.once('exit', () => (running = false));
    child.unref();
    return { pid: child.pid, running: () => running };
  } finally {
    closeSync(log);
  }
}

/** One old file is kept. */
function openLog(folder: string): number {
  const path = join(folder, 'proxy.log');
  try {
    if (statSync(path).size > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
  } catch {
    // The first start.
  }
  return openSync(path, 'a', 0o600);
}
