/** Durable writes and limited helper programs on the real system. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeFileDurable } from '../../../src/adapters/system/durable-file.ts';
import { gitEnvironment } from '../../../src/adapters/system/git-environment.ts';
import { runProgram } from '../../../src/adapters/system/run-program.ts';

const env = { PATH: process.env['PATH'] };

test('a file is replaced whole, with its mode, and nothing is left beside it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'mainstay-durable-'));
  try {
    const path = join(dir, 'record.json');
    await writeFileDurable(path, 'one');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await writeFileDurable(path, 'two', 0o644);
    expect(readFileSync(path, 'utf8')).toBe('two');
    await Promise.all(['3', '4', '5'].map((text) => writeFileDurable(path, text)));
    expect(['3', '4', '5']).toContain(readFileSync(path, 'utf8'));
    expect(readdirSync(dir)).toEqual(['record.json']);
    await expect(writeFileDurable(join(dir, 'none/x'), '')).rejects.toThrow(/ENOENT/);
  } finally {
    chmodSync(dir, 0o700);
    rmSync(dir, { recursive: true });
  }
});

test('a program answers with its code and outputs', async () => {
  const ran = await runProgram('sh', ['-c', 'cat; echo oops >&2; exit 3'], { env, input: 'in' });
  expect(ran).toMatchObject({ end: 3, stderr: 'oops\n' });
  expect(ran.stdout.toString()).toBe('in');
});

test('a program that is missing, too slow, too talkative or called off says so', async () => {
  const abort = new AbortController();
  const running = runProgram('sleep', ['60'], { env, signal: abort.signal });
  abort.abort();
  expect((await running).end).toBe('cancelled');
  expect((await runProgram('sleep', ['60'], { env, signal: abort.signal })).end).toBe('cancelled');
  expect((await runProgram('/no/such', [], { env })).end).toBe('not-started');
  expect((await runProgram('sleep', ['60'], { env, timeoutMs: 20 })).end).toBe('timeout');
  const began = Date.now();
  expect((await runProgram('sh', ['-c', 'sleep 30 & wait'], { env, timeoutMs: 20 })).end).toBe('timeout');
  expect(Date.now() - began).toBeLessThan(10_000);
  expect((await runProgram('yes', [], { env, maxOutputBytes: 10_000 })).end).toBe('too-much-output');
  expect((await runProgram('sh', ['-c', 'kill -9 $$'], { env })).end).toBe('signal');
});

test('git gets none of the settings of this machine or of our own environment', () => {
  process.env['GIT_DIR'] = '/elsewhere';
  const given = gitEnvironment({ GIT_INDEX_FILE: '/x' });
  delete process.env['GIT_DIR'];
  expect(given['GIT_DIR']).toBeUndefined();
  expect(given).toMatchObject({
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_INDEX_FILE: '/x',
  });
});
