/**
 * A daemon's git side as a process that a test can kill: `node host-process.ts DIR STAGE`. Its gate stops for ever at
 * STAGE (`check` or `follow`). Prints the push URL, then a line when a push has come to that stage.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import { createHookServer } from '../../../src/adapters/git/hook-server.ts';
import { createGitHosting } from '../../../src/adapters/git/hosting.ts';
import { openIntentRepository } from '../../../src/adapters/git/repository.ts';
import type { PushGate } from '../../../src/model/push.ts';

const [dir = '', stage = ''] = process.argv.slice(2);
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const clock = {
  now: () => Date.now(),
  sleep: (ms: number) => new Promise<boolean>((resolve) => setTimeout(() => resolve(true), ms)),
};

async function stop(): Promise<never> {
  console.log(`at ${stage}`);
  return await new Promise<never>(() => undefined);
}

const gate: PushGate = {
  check: async () => (stage === 'check' ? await stop() : true),
  follow: async () => (stage === 'follow' ? await stop() : undefined),
};

const opened = await openIntentRepository({
  path: path.join(dir, 'intent.git'),
  branch: 'main',
  log,
  clock,
  dataDir: dir,
});
if (!opened.ok) throw new Error(opened.error.message);
const parts = { repository: opened.value, gate, hooksDir: path.join(dir, 'hooks'), log };
const hosting = await createGitHosting(parts);
await createHookServer({ ...parts, socketPath: path.join(dir, 'hooks.sock') });
const server = http.createServer((req, res) => {
  const suffix = new URL(req.url ?? '/', 'http://x').pathname.replace('/intent.git', '');
  void hosting.handle(req, res, { path: suffix, by: 'someone' });
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/intent.git`);
});
