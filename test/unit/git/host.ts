/** A daemon's git side without the daemon: hosting over HTTP and by path in front of a gate that the test controls. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import { createHookServer } from '../../../src/adapters/git/hook-server.ts';
import { createGitHosting } from '../../../src/adapters/git/hosting.ts';
import type { GitRepository } from '../../../src/adapters/git/repository.ts';
import type { PushGate } from '../../../src/model/push.ts';
import { atEnd, git, open, scratchDir, silent, testEnvironment } from './scratch.ts';

export interface Host {
  readonly url: string;
  readonly repo: GitRepository;
  readonly dir: string;
  readonly clone: string;
  readonly stop: () => Promise<void>;
}

export const accept: PushGate = {
  check: async () => await Promise.resolve(true),
  follow: async () => await Promise.resolve(),
};

export async function host(
  gate: PushGate,
  dir = scratchDir(),
  more: { pushMaxBytes?: number } = {},
): Promise<Host> {
  const repo = await open(path.join(dir, 'intent.git'), { dataDir: dir });
  const hooksDir = path.join(dir, 'hooks');
  const hosting = await createGitHosting({ repository: repo, gate, hooksDir, log: silent, ...more });
  const hooks = await createHookServer({
    repository: repo,
    gate,
    hooksDir,
    socketPath: path.join(dir, 'hooks.sock'),
    log: silent,
  });
  if (!hooks.ok) throw new Error(hooks.error.message);
  const server = http.createServer((req, res) => {
    const suffix = new URL(req.url ?? '/', 'http://x').pathname.replace('/intent.git', '');
    void hosting.handle(req, res, { path: suffix, by: 'token-name' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await hooks.value.close();
    await hosting.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  atEnd(stop);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/intent.git`;
  const clone = path.join(scratchDir(), 'clone');
  git(dir, ['init', '-q', '-b', 'main', clone]);
  commitIn(clone, 'one');
  return { url, repo, dir, clone, stop };
}

export function commitIn(clone: string, text: string): string {
  writeFileSync(path.join(clone, 'web.yaml'), text);
  git(clone, ['add', '.']);
  git(clone, ['commit', '-qm', text]);
  return git(clone, ['rev-parse', 'HEAD']).trim();
}

export interface Push {
  /** Kills git and all that it started, as a closed terminal does. */
  readonly kill: () => void;
  /** Lines of stderr with the time at which they came. */
  readonly lines: { text: string; at: number }[];
  readonly ended: Promise<number | null>;
}

export function push(clone: string, to: string, ref = 'main'): Push {
  const child = spawn('git', ['push', to, ref], {
    cwd: clone,
    env: testEnvironment,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const lines: Push['lines'] = [];
  child.stderr.on('data', (chunk: Buffer) => {
    for (const text of chunk.toString().split(/[\r\n]+/))
      if (text !== '') lines.push({ text: text.trimEnd(), at: Date.now() });
  });
  const kill = (): void => void process.kill(-(child.pid ?? 0), 'SIGKILL');
  return { kill, lines, ended: new Promise((resolve) => child.on('close', resolve)) };
}

export const texts = (pushed: Push): string => pushed.lines.map((line) => line.text).join('\n');

/** Git as a client beside this process: it may talk to servers that run here. */
export async function run(cwd: string, args: readonly string[]): Promise<number | null> {
  const child = spawn('git', args, { cwd, env: testEnvironment, stdio: 'ignore' });
  return await new Promise((resolve) => child.on('close', resolve));
}
