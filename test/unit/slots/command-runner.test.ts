/** Setup commands as real processes: where they run, what they see, how they fail, and that nothing is left of them. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createCommandRunner, type SetupRunner } from '../../../src/adapters/slots/command-runner.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import { createProcessTable } from '../../../src/adapters/system/process-table.ts';
import { systemRandom } from '../../../src/adapters/system/random.ts';
import type { CommandRequest } from '../../../src/ports.ts';
import { bench, never, quiet, type Bench } from './bench.ts';

const processes = createProcessTable();

function runnerFor(b: Bench, owner = systemRandom.hex(6)): SetupRunner {
  return createCommandRunner({
    dataDir: b.dataDir,
    owner,
    clock: systemClock,
    processes,
    log: quiet,
    killGraceMs: 200,
  });
}

function request(
  b: Bench,
  command: string | readonly string[],
  more: Partial<CommandRequest> = {},
): CommandRequest {
  const dir = join(b.dir, 'slot');
  mkdirSync(dir, { recursive: true });
  return { app: 'web', slot: 'slot-a', dir, command, env: {}, timeoutMs: 10_000, ...more };
}

async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  const limit = Date.now() + 5_000;
  while (!(await what())) {
    if (Date.now() > limit) throw new Error('it did not come about in time');
    await systemClock.sleep(10);
  }
}

test('it runs in the slot with the given environment and little else', async () => {
  using b = bench();
  process.env['MAINSTAY_TEST_LEAK'] = 'leaked';
  const command = 'pwd > out.txt && env >> out.txt && test "$GREETING" = "two words"';

  const done = await runnerFor(b).run(request(b, command, { env: { GREETING: 'two words' } }), never);

  delete process.env['MAINSTAY_TEST_LEAK'];
  expect(done).toEqual({ ok: true, value: undefined });
  const seen = readFileSync(join(b.dir, 'slot/out.txt'), 'utf8');
  expect(seen).toContain(`${join(b.dir, 'slot')}\n`);
  expect(seen).toContain('PATH=');
  expect(seen).not.toContain('leaked');
});

test('a list runs without a shell', async () => {
  using b = bench();
  const script = 'require("fs").writeFileSync("out.txt", process.argv[1])';

  const done = await runnerFor(b).run(request(b, [process.execPath, '-e', script, '$HOME; exit 1']), never);

  expect(done.ok).toBe(true);
  expect(readFileSync(join(b.dir, 'slot/out.txt'), 'utf8')).toBe('$HOME; exit 1');
});

test('a failure carries the exit code and the last 40 lines of both outputs', async () => {
  using b = bench();
  const command = 'i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i+1)); done; echo broken >&2; exit 7';

  const done = await runnerFor(b).run(request(b, command), never);

  expect(done).toMatchObject({ ok: false, error: { code: 'setup-failed', retry: { kind: 'never' } } });
  const details = done.ok ? {} : (done.error.details ?? {});
  expect(details['exit_code']).toBe(7);
  expect(details['log_tail']).toHaveLength(40);
  expect(details['log_tail']).toContain('broken');
  expect(readFileSync(String(details['log_file']), 'utf8')).toContain('line 0\n');
});

test('a program that is not there is a failure of setup', async () => {
  using b = bench();

  const done = await runnerFor(b).run(request(b, ['/no/such/program']), never);

  expect(done).toMatchObject({ ok: false, error: { code: 'setup-failed' } });
});

test('at its limit the whole group is ended, also what ignores SIGTERM', async () => {
  using b = bench();
  const command = `trap '' TERM; sh -c 'trap "" TERM; echo $$ > inner.pid; sleep 60 & wait' & wait; sleep 60`;

  const done = await runnerFor(b).run(request(b, command, { timeoutMs: 300 }), never);

  expect(done).toMatchObject({ ok: false, error: { code: 'setup-timeout' } });
  const inner = Number(readFileSync(join(b.dir, 'slot/inner.pid'), 'utf8'));
  expect((await processes.readProcess(inner))?.state).not.toBe('running');
});

test('an abort ends it at once', async () => {
  using b = bench();
  const abort = new AbortController();
  const running = runnerFor(b).run(request(b, 'touch begun; sleep 60'), abort.signal);
  await until(() => existsSync(join(b.dir, 'slot/begun')));

  const began = Date.now();
  abort.abort();

  expect(await running).toMatchObject({ ok: false, error: { code: 'aborted' } });
  expect(Date.now() - began).toBeLessThan(2_000);
});

test('what it leaves in the background does not outlive it, in its group or out of it', async () => {
  using b = bench();
  const command =
    '(sleep 61 & echo $! > in.pid); setsid sh -c "echo \\$\\$ > out.pid; exec sleep 62" & while [ ! -s out.pid ]; do :; done';

  const done = await runnerFor(b).run(request(b, command), never);

  expect(done.ok).toBe(true);
  for (const file of ['in.pid', 'out.pid']) {
    const pid = Number(readFileSync(join(b.dir, 'slot', file), 'utf8'));
    await until(async () => (await processes.readProcess(pid))?.state !== 'running');
  }
});

test('what a killed daemon left running is ended by the next, and nobody else’s', async () => {
  using b = bench();
  const owner = systemRandom.hex(6);
  const dir = join(b.dir, 'slot');
  mkdirSync(dir, { recursive: true });
  // The daemon, run in a process of its own so that it can be killed.
  const source = join(import.meta.dirname, '../../../src/adapters');
  const script = `
    const { createCommandRunner } = await import(${JSON.stringify(join(source, 'slots/command-runner.ts'))});
    const { systemClock } = await import(${JSON.stringify(join(source, 'system/clock.ts'))});
    const { createProcessTable } = await import(${JSON.stringify(join(source, 'system/process-table.ts'))});
    const log = { info() {}, warn() {}, error() {} };
    const runner = createCommandRunner({ dataDir: ${JSON.stringify(b.dataDir)}, owner: ${JSON.stringify(owner)},
      clock: systemClock, processes: createProcessTable(), log });
    await runner.run({ app: 'web', slot: 'slot-a', dir: ${JSON.stringify(dir)}, env: {}, timeoutMs: 60000,
      command: 'echo $$ > own.pid; sleep 60; true' }, new AbortController().signal);`;
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  const stranger = spawn('sleep', ['60'], { env: { ...process.env, MAINSTAY_SETUP_OWNER: `${owner}x` } });
  try {
    await until(() => existsSync(join(dir, 'own.pid')) && readFileSync(join(dir, 'own.pid'), 'utf8') !== '');
    const pid = Number(readFileSync(join(dir, 'own.pid'), 'utf8'));
    await until(() => existsSync(join(b.dataDir, 'run/setup', `${pid}.json`)));
    daemon.kill('SIGKILL');
    await until(() => daemon.signalCode !== null);
    expect((await processes.readProcess(pid))?.state).toBe('running');

    expect(await runnerFor(b, owner).endStrays()).toBe(1);

    expect(await processes.processesInGroup(pid)).toEqual([]);
    expect((await processes.readProcess(stranger.pid ?? 0))?.state).toBe('running');
    expect(await runnerFor(b, owner).endStrays()).toBe(0);
  } finally {
    daemon.kill('SIGKILL');
    stranger.kill('SIGKILL');
  }
});
