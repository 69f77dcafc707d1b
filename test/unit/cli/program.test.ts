/** The command line as a whole: help everywhere, exit codes, and the commands that need no daemon. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { COMMANDS, LATER } from '../../../src/cli/commands.ts';
import { run } from '../../../src/cli/program.ts';
import { fakeContext } from './fake-context.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mst-cli-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('every command', () => {
  test.each(COMMANDS.map(({ name }) => name))('%s has a description and --json in its help', async (name) => {
    const context = fakeContext();
    expect(await run([name, '--help'], context)).toBe(0);
    expect(context.stdout()).toContain(`Usage: mainstay ${name}`);
    if (name === 'token') {
      expect(await run([name, 'create', '--help'], context)).toBe(0);
    }
    expect(context.stdout()).toContain('--json');
  });

  test('the runtime of the tests is the one that the package asks for', () => {
    expect(Number.parseInt(process.versions.node, 10)).toBeGreaterThanOrEqual(24);
  });
});

describe('wrong usage is exit 2', () => {
  test.each([
    [['nope']],
    [['wait']],
    [['wait', 'HEAD', '--nope']],
    [['plan', '--format', 'png']],
    [['token', 'create']],
    [['token', 'create', '--role', 'king']],
    [['serve', '--listen', 'nowhere']],
    [['serve', '--nats', 'maybe']],
    [['serve', '--branch', '../x']],
    [['schema', 'Nope']],
    [['history', '--limit', 'x']],
    [['wait', 'x', '--timeout', '5']],
    [[]],
  ])('%j', async (args) => {
    const context = fakeContext();
    expect(await run(args, context)).toBe(2);
    expect(context.stderr()).not.toBe('');
  });

  test('with --json the reason is JSON on stdout', async () => {
    const context = fakeContext();
    expect(await run(['wait', '--json'], context)).toBe(2);
    expect(JSON.parse(context.stdout())).toMatchObject({ code: 'usage' });
  });

  test('an unreachable daemon is exit 2 and says what to do', async () => {
    const context = fakeContext();
    expect(await run(['status', '--url', 'http://127.0.0.1:9'], context)).toBe(2);
    expect(context.stderr()).toMatch(/mainstay serve/);
  });
});

describe('version and schema', () => {
  test('version names the package, --version too', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    const context = fakeContext();
    await run(['version'], context);
    await run(['--version'], context);
    expect(context.stdout()).toBe(`mainstay ${version}\nmainstay ${version}\n`);
    const machine = fakeContext();
    await run(['version', '--json'], machine);
    expect(JSON.parse(machine.stdout())).toEqual({ version });
  });

  test('schema prints one kind, or one schema for all', async () => {
    const one = fakeContext();
    expect(await run(['schema', 'App'], one)).toBe(0);
    expect(JSON.parse(one.stdout())).toMatchObject({ title: 'App' });
    const all = fakeContext();
    expect(await run(['schema'], all)).toBe(0);
    expect((JSON.parse(all.stdout()) as { oneOf: unknown[] }).oneOf.length).toBeGreaterThanOrEqual(2);
  });
});

describe('init and validate', () => {
  test('init makes a valid repository with one commit on main, also without an author', async () => {
    const context = fakeContext({ cwd: dir });
    expect(await run(['init', 'intent', '--json'], context)).toBe(0);
    const made = JSON.parse(context.stdout()) as { commit: string; branch: string };
    expect(made.branch).toBe('main');
    expect(made.commit).toMatch(/^[0-9a-f]{40}$/);
    const check = fakeContext({ cwd: dir });
    expect(await run(['validate', 'intent', '--ref', 'main'], check)).toBe(0);
    expect(check.stdout()).toMatch(/^valid: \d+ documents/);
  });

  test('init refuses a folder that is not empty and leaves it as it is', async () => {
    await writeFile(join(dir, 'mine.txt'), 'mine');
    const context = fakeContext({ cwd: dir });
    expect(await run(['init', '.'], context)).toBe(1);
    expect(context.stderr()).toContain('mine.txt');
    expect(await readFile(join(dir, 'mine.txt'), 'utf8')).toBe('mine');
  });

  test('validate shows each error with its place and a caret, in every format', async () => {
    await writeFile(join(dir, 'mainstay.yaml'), 'kind: System\nnam: x\n');
    const text = fakeContext({ cwd: dir });
    expect(await run(['validate'], text)).toBe(1);
    expect(text.stdout()).toMatch(/^mainstay\.yaml:2:1: error [a-z-]+ .*name/);
    expect(text.stdout()).toContain('^');
    for (const format of ['json', 'sarif']) {
      const machine = fakeContext({ cwd: dir });
      expect(await run(['validate', '.', '--format', format], machine)).toBe(1);
      expect(() => JSON.parse(machine.stdout()) as unknown).not.toThrow();
    }
    const github = fakeContext({ cwd: dir });
    await run(['validate', dir, '--format', 'github'], github);
    expect(github.stdout()).toContain('::error file=mainstay.yaml');
  });

  test('validate of a folder or ref that is not there is wrong usage', async () => {
    const context = fakeContext({ cwd: dir });
    expect(await run(['validate', 'nowhere'], context)).toBe(2);
    expect(await run(['validate', '.', '--ref', 'nope'], context)).toBe(2);
  });

  test('a command of a later version is refused by name, and is none of those that exist', async () => {
    for (const name of LATER) {
      const context = fakeContext({ cwd: dir });
      expect(await run([name, '--json'], context)).toBe(2);
      expect(context.stderr()).toContain(`mainstay ${name} is for a later version`);
      expect(JSON.parse(context.stdout())).toMatchObject({ code: 'not-supported-yet' });
      expect(COMMANDS.map((entry) => entry.name)).not.toContain(name);
    }
  });
});
