/** The companion of every deploy: the same program started by hand, asked until it answers its health check. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../support/free-ports.ts';
import { answers } from './scene.ts';

/** Milliseconds from the start of the process to its first good answer. */
export async function bareBoot(dir: string): Promise<number> {
  const port = await freePort();
  const env = { PATH: process.env['PATH'], PORT: String(port) };
  const began = performance.now();
  const child = spawn(process.execPath, ['server.js'], { cwd: dir, env, stdio: 'ignore' });
  const took = await answers(`http://127.0.0.1:${port}/healthz`, '', began);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return took;
}
