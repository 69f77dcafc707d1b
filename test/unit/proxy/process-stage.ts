/** The proxy as a process of its own: a data folder, clients that steer it, and an end that leaves nothing behind. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import { createProxyClient, type ProxyClient } from '../../../src/proxy/client.ts';
import { freePort } from '../../support/free-ports.ts';
import { killNow, processesOf } from '../../support/processes.ts';
import { eventually } from '../../support/wait.ts';

export interface ProcessStage {
  readonly data: string;
  readonly port: number;
  client(entry?: string): ProxyClient;
  /** An app as a process: answers its name, `/slow` after 300 ms. */
  app(name: string): Promise<{ readonly port: number; readonly child: ChildProcess }>;
  /** Pids of the proxies that serve this data folder. */
  pids(): Promise<readonly number[]>;
  end(): Promise<void>;
}

const APP = `
const { createServer } = require('node:http');
const name = process.argv[1];
createServer((request, response) => {
  request.resume().on('end', () => {
    if (request.url === '/slow') setTimeout(() => response.end(name), 300);
    else response.end(name);
  });
}).listen(Number(process.argv[2]), '127.0.0.1', () => process.send('up'));
`;

export async function openProcessStage(folder = ''): Promise<ProcessStage> {
  const root = await mkdtemp(join(tmpdir(), 'proxy-'));
  const data = join(root, folder);
  const clients: ProxyClient[] = [];
  const children: ChildProcess[] = [];
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return {
    data,
    port: await freePort(),
    client(entry) {
      const made = createProxyClient({
        dataDir: data,
        log,
        clock: systemClock,
        ...(entry === undefined ? {} : { entry }),
      });
      clients.push(made);
      return made;
    },
    async app(name) {
      const port = await freePort();
      const child = spawn(process.execPath, ['-e', APP, name, String(port)], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      children.push(child);
      await new Promise((resolve) => child.once('message', resolve));
      return { port, child };
    },
    pids: () => proxiesOf(data),
    async end() {
      for (const client of clients) await client.close();
      for (const child of children) child.kill('SIGKILL');
      for (const pid of await proxiesOf(data)) killNow(pid);
      await eventually('no proxy left', async () => (await proxiesOf(data)).length === 0);
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function proxiesOf(data: string): Promise<readonly number[]> {
  const found = await processesOf(data);
  return found.filter(({ argv }) => argv.includes('proxy') && argv.includes(data)).map(({ pid }) => pid);
}
