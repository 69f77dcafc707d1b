/** The companion of every deploy: the same program, started by hand until it answers its health check. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './free-ports.ts';
import { ask } from './http-client.ts';
import { eventually } from './wait.ts';

/** Milliseconds from the start of the process to its first good health answer. */
export async function bootBare(dir: string): Promise<number> {
  const port = await freePort();
  const env = { PATH: process.env['PATH'], PORT: String(port) };
  const began = performance.now();
  const child = spawn('node', ['server.js'], { cwd: dir, env, stdio: 'ignore' });
  await eventually('the bare app answers', async () => {
    const answer = await ask(`http://127.0.0.1:${port}/healthz`);
    return answer.status === 200;
  });
  const took = performance.now() - began;
  child.kill('SIGKILL');
  await once(child, 'exit');
  return took;
}
