import { spawn } from 'node:child_process';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { InstanceRecord } from '../../../backends/process/record.ts';
import { codeOf, find, valueOf } from '../../conformance/expectations.ts';
import { eventually, within } from '../../support/wait.ts';
import { createFixture, end, never, processes, texts } from './process-fixture.ts';
import type { ProcessFixture } from './process-fixture.ts';

// Real processes on a machine that may be busy: every wait has its own limit below this.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let fixture: ProcessFixture;
beforeEach(async () => {
  fixture = await createFixture();
});
afterEach(() => fixture.cleanup());

const recordFile = (id: string): string => join(fixture.dataDir, 'run', 'instances', `${id}.json`);
const readRecord = async (id: string): Promise<InstanceRecord> =>
  JSON.parse(await readFile(recordFile(id), 'utf8')) as InstanceRecord;

it('never takes a reused pid for its instance', async () => {
  const stranger = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  const pid = stranger.pid as number;
  try {
    const first = fixture.open();
    const web = fixture.spec(1, 'sleep 60');
    const started = valueOf(await first.apply(web, never));
    await first.close();
    await end(Number(started.handle));
    const record = await readRecord(web.id);
    await writeFile(recordFile(web.id), JSON.stringify({ ...record, pid }));

    const next = fixture.open();
    expect(await find(next, web.id)).toMatchObject({ state: 'exited', handle: String(pid) });
    expect(valueOf(await next.remove(web.id, 0))).toBe('deleted');
    expect((await processes.readProcess(pid))?.state).toBe('running');
  } finally {
    await end(pid);
  }
});

it('takes a zombie for dead', async () => {
  // The parent never asks how its child ended, so the child stays in the process list.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const pid = Number(await new Promise<Buffer>((resolve) => parent.stdout.once('data', resolve)));
    const alive = await processes.readProcess(pid);
    const web = fixture.spec(1, 'sleep 60');
    const first = fixture.open();
    const { handle } = valueOf(await first.apply(web, never));
    await first.close();
    await end(Number(handle));
    const record = { ...(await readRecord(web.id)), pid, startTime: alive?.startTime, exit: null };
    await writeFile(recordFile(web.id), JSON.stringify(record));

    const next = fixture.open();
    expect(await find(next, web.id)).toMatchObject({ state: 'running' });
    const told: string[] = [];
    next.subscribe((event) => void told.push(event.type));
    await end(pid);
    await eventually('the exit is told', () => told.includes('exited'));
    expect((await processes.readProcess(pid))?.state).toBe('zombie');
    expect(valueOf(await within('the removal', next.remove(web.id, 60_000), 5_000))).toBe('deleted');
  } finally {
    parent.kill('SIGKILL');
  }
});

it('adopts what a daemon started and was killed before it could write down', async () => {
  const web = fixture.spec(1, 'sleep 60', { digest: 'the digest' });
  // A process of its own that is killed the moment the instance has been started.
  const script = `
    import { createProcessBackend } from ${JSON.stringify(import.meta.resolve('../../../backends/process/backend.ts'))};
    import { systemClock } from ${JSON.stringify(import.meta.resolve('../../../src/adapters/system/clock.ts'))};
    const die = () => { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); };
    const none = () => undefined;
    const backend = createProcessBackend({
      dataDir: ${JSON.stringify(fixture.dataDir)}, owner: ${JSON.stringify(fixture.dataDir)}, clock: systemClock,
      environment: { PATH: process.env.PATH }, log: { info: none, warn: none, error: none },
      // It is asked for the new process right after the start, before the second record.
      processes: { readProcess: die, processesInGroup: async () => [], findByEnvironment: async () => [] },
    });
    await backend.apply(${JSON.stringify(web)}, new AbortController().signal);
  `;
  const daemon = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: 'inherit',
  });
  const signal = await new Promise((resolve) => daemon.once('exit', (_code, name) => resolve(name)));
  expect(signal).toBe('SIGKILL');
  expect(await readRecord(web.id)).toMatchObject({ pid: null });
  const [left] = await fixture.owned();

  const next = fixture.open();
  const found = await find(next, web.id);
  expect(found).toMatchObject({ state: 'running', handle: String(left?.pid), digest: 'the digest' });
  expect(valueOf(await next.apply(web, never))).toEqual(found);
  expect(valueOf(await next.remove(web.id, 5_000))).toBe('deleted');
  expect(await fixture.owned()).toEqual([]);
});

it('forgets a start that never came about', async () => {
  const first = fixture.open();
  const web = fixture.spec(1, 'sleep 60');
  const { handle } = valueOf(await first.apply(web, never));
  await first.close();
  await end(Number(handle));
  await writeFile(
    recordFile(web.id),
    JSON.stringify({ ...(await readRecord(web.id)), pid: null, startTime: null, exit: null }),
  );
  expect(valueOf(await fixture.open().observe())).toEqual([]);
});

it('ends what carries its owner and has no record, and nothing else', async () => {
  const first = fixture.open();
  const lost = fixture.spec(1, 'trap "" TERM; while :; do sleep 0.05; done');
  const kept = fixture.spec(2, 'sleep 60');
  valueOf(await first.apply(lost, never));
  const other = valueOf(await first.apply(kept, never));
  await eventually('both show their environment', async () => {
    const leaders = (await fixture.owned()).filter((one) => one.pid === one.group);
    return leaders.length === 2;
  });
  await first.close();
  await rm(recordFile(lost.id));
  await writeFile(join(fixture.dataDir, 'run', 'instances', 'web@slot-0000000a.3.json'), '{"half');

  const next = fixture.open();
  expect(valueOf(await next.observe())).toEqual([other]);
  expect((await fixture.owned()).map((one) => String(one.pid))).toEqual([other.handle]);
  expect(fixture.warnings).toContain('instance record is unreadable and was dropped');
});

it('ends what is left of a group whose leader ended while no daemon ran', async () => {
  const first = fixture.open();
  const web = fixture.spec(1, 'sleep 60 & sleep 61 & sleep 62');
  const started = valueOf(await first.apply(web, never));
  await eventually('the group is complete', async () => (await fixture.owned()).length >= 4);
  await first.close();
  await end(Number(started.handle));
  const next = fixture.open();
  expect(await find(next, web.id)).toMatchObject({ state: 'exited', exit: { code: null } });
  await eventually('the rest is gone', async () => (await fixture.owned()).length === 0);
});

it.each([1, 0, -1, 1.5, '77'])('reads no record that names the process %j', async (pid) => {
  const first = fixture.open();
  const web = fixture.spec(1, 'sleep 60');
  const { handle } = valueOf(await first.apply(web, never));
  await eventually('it shows its environment', async () => (await fixture.owned()).length === 1);
  await first.close();
  await writeFile(recordFile(web.id), JSON.stringify({ ...(await readRecord(web.id)), pid }));
  expect(valueOf(await fixture.open().observe())).toEqual([]);
  // Its process is one that no record accounts for now.
  expect((await processes.readProcess(Number(handle)))?.state).not.toBe('running');
});

it('remembers how an instance ended', async () => {
  const first = fixture.open();
  const web = fixture.spec(1, ['sh', '-c', 'exit 3']);
  valueOf(await first.apply(web, never));
  await eventually('the end is written down', async () => (await readRecord(web.id)).exit !== null);
  const before = await find(first, web.id);
  await first.close();
  expect(before).toMatchObject({ exit: { code: 3 } });
  expect(await find(fixture.open(), web.id)).toEqual(before);
});

it('keeps values of the environment out of records and logs', async () => {
  const backend = fixture.open();
  const web = fixture.spec(1, 'sleep 60', { env: { TOKEN: 'a-secret-value', DATABASE: 'another-secret' } });
  valueOf(await backend.apply(web, never));
  const broken = await backend.apply(
    fixture.spec(2, ['./missing'], { env: { TOKEN: 'a-secret-value' } }),
    never,
  );
  expect(codeOf(broken)).toBe('start-failed');
  expect(JSON.stringify(broken)).not.toContain('secret');
  const files = await texts(fixture.dataDir);
  expect([...files.keys()]).toContain(recordFile(web.id));
  for (const text of files.values()) expect(text).not.toContain('secret');
  expect((await stat(recordFile(web.id))).mode & 0o777).toBe(0o600);
});

it('says so when it cannot read its records, and recovers', async () => {
  await writeFile(join(fixture.dataDir, 'run'), 'in the way');
  const backend = fixture.open();
  expect(codeOf(await backend.observe())).toBe('backend-unavailable');
  await rm(join(fixture.dataDir, 'run'));
  expect(valueOf(await backend.observe())).toEqual([]);
});
