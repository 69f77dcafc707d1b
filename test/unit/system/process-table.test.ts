/** The process list, read for real processes, by /proc and by ps alike. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createProcessTable } from '../../../src/adapters/system/process-table.ts';
import { parse } from '../../../src/adapters/system/ps-process-table.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';

async function sleeper(
  env: Readonly<Record<string, string>> = {},
): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn('sh', ['-c', 'sleep 60 & echo ready; wait'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  });
  await once(child.stdout, 'data');
  return child as ChildProcess & { readonly pid: number };
}

test.each(['linux', 'freebsd'] as const)(
  'a process, its group and its end are seen (%s)',
  async (platform) => {
    if (platform === 'linux' && process.platform !== 'linux') return;
    const table = createProcessTable(platform);
    const child = await sleeper();
    try {
      const seen = await table.readProcess(child.pid);
      expect(seen).toMatchObject({ pid: child.pid, state: 'running', group: child.pid });
      expect(await table.readProcess(child.pid)).toEqual(seen);
      const group = await table.processesInGroup(child.pid);
      expect(group).toHaveLength(2);
      expect(group[0]).toEqual(seen);

      const ended = once(child, 'exit');
      process.kill(-child.pid, 'SIGKILL');
      await ended;
      while ((await table.processesInGroup(child.pid)).length > 0) await systemClock.sleep(5);
      expect((await table.readProcess(child.pid))?.state).not.toBe('running');
    } finally {
      child.kill('SIGKILL');
    }
  },
);

test('a process is found by an exact entry of its environment', async () => {
  if (process.platform !== 'linux') return;
  const table = createProcessTable();
  const value = `${process.pid}-${Date.now()}`;
  const child = await sleeper({ MAINSTAY_TEST_MARK: value });
  try {
    const found = await table.findByEnvironment(`MAINSTAY_TEST_MARK=${value}`);
    expect(found.map((one) => one.group)).toEqual([child.pid, child.pid]);
    expect(await table.findByEnvironment(`MAINSTAY_TEST_MARK=${value.slice(0, -1)}`)).toEqual([]);
    expect(await table.findByEnvironment(`TEST_MARK=${value}`)).toEqual([]);
  } finally {
    process.kill(-child.pid, 'SIGKILL');
  }
});

test('a zombie counts as dead', async () => {
  if (process.platform !== 'linux') return;
  const table = createProcessTable();
  // The shell's child ends while the program that took the shell's place never asks for it.
  const parent = spawn('sh', ['-c', '(exit 0) & echo $!; exec sleep 60'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    const until = Date.now() + 5_000;
    while ((await table.readProcess(pid))?.state !== 'zombie' && Date.now() < until)
      await systemClock.sleep(5);
    expect((await table.readProcess(pid))?.state).toBe('zombie');
    expect((await table.processesInGroup(parent.pid ?? 0)).map((one) => one.pid)).toEqual([parent.pid]);
  } finally {
    parent.kill('SIGKILL');
  }
});

test('nobody is there under a pid that does not exist', async () => {
  expect(await createProcessTable().readProcess(2 ** 22 + 1)).toBeNull();
  expect(await createProcessTable('freebsd').readProcess(2 ** 22 + 1)).toBeNull();
});

test('lines of ps are read, others are skipped', () => {
  const text =
    '  12    12 Ss   Mon Jan  5 10:11:12 2026\n   7     7 Z+   Mon Jan  5 10:11:13 2026\nrubbish\n';
  expect(parse(text)).toEqual([
    { pid: 7, startTime: 'ps:Mon Jan 5 10:11:13 2026', state: 'zombie', group: 7 },
    { pid: 12, startTime: 'ps:Mon Jan 5 10:11:12 2026', state: 'running', group: 12 },
  ]);
});
