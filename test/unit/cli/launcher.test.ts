/** bin/mainstay.js: which program it starts, and that an older Node hands over completely. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/wait.ts';

const OLD_NODE = findOldNode();
const PROGRAM = `
const [what] = process.argv.slice(2);
if (what === 'stay') { setInterval(() => {}, 1000); process.on('SIGTERM', () => process.exit(5)); }
console.log(JSON.stringify({ args: process.argv.slice(2), node: process.versions.node, pid: process.pid, leash: process.env.MAINSTAY_LAUNCHER_FD ?? null, flags: process.execArgv }));
if (what === 'exit') process.exit(7);
if (what === 'die') process.kill(process.pid, 'SIGKILL');
`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mst-launcher-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('which program', () => {
  test('sources in a checkout, even when it is built', () => {
    const bin = layPackage(join(root, 'checkout'));
    writeFileSync(join(root, 'checkout', 'dist', 'src', 'main.js'), 'console.log("built")');
    expect(JSON.parse(run(process.execPath, bin).stdout)).toMatchObject({ args: ['x'] });
  });

  test('dist under node_modules, and where there are no sources', () => {
    const installed = layPackage(join(root, 'node_modules', 'mainstay'));
    writeFileSync(join(root, 'node_modules', 'mainstay', 'dist', 'src', 'main.js'), 'console.log("built")');
    expect(run(process.execPath, installed).stdout).toBe('built\n');
    const image = layPackage(join(root, 'image'));
    rmSync(join(root, 'image', 'src'), { recursive: true });
    writeFileSync(join(root, 'image', 'dist', 'src', 'main.js'), 'console.log("built")');
    expect(run(process.execPath, image).stdout).toBe('built\n');
  });

  test('neither: says what to do, exit 2', () => {
    const bin = layPackage(join(root, 'empty'));
    rmSync(join(root, 'empty', 'src'), { recursive: true });
    const ran = run(process.execPath, bin);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('npm run build');
  });
});

test('the daemon runs under its own flags in the same process; commands run as they were started', async () => {
  const bin = layPackage(join(root, 'checkout'));
  const serve = spawn(process.execPath, ['--no-warnings', bin, 'serve', '--data', 'x']);
  let text = '';
  serve.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  serve.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(serve, 'close');
  const flags = ['--expose-gc', '--no-turbofan', '--no-warnings'];
  expect(JSON.parse(text)).toMatchObject({ args: ['serve', '--data', 'x'], pid: serve.pid, flags });
  expect(JSON.parse(run(process.execPath, bin, 'status').stdout)).toMatchObject({ flags: [] });
});

describe.skipIf(OLD_NODE === null)('an older Node on PATH (skipped where there is none)', () => {
  const old = OLD_NODE ?? '';

  test('hands over arguments and exit code to the one beside the package', () => {
    const bin = layPackage(join(root, 'p'), process.execPath);
    const ran = run(old, bin, 'exit', 'a b', '--json');
    expect(JSON.parse(ran.stdout)).toMatchObject({
      args: ['exit', 'a b', '--json'],
      node: process.versions.node,
      leash: null,
    });
    expect(ran.status).toBe(7);
  });

  test('finds it further up, as when it is hoisted', () => {
    layNode(root, process.execPath);
    const bin = layPackage(join(root, 'deep', 'p'));
    expect(run(old, bin, 'exit').status).toBe(7);
  });

  test('ends by the signal that ended the program', () => {
    const bin = layPackage(join(root, 'p'), process.execPath);
    expect(run(old, bin, 'die').signal).toBe('SIGKILL');
  });

  test('passes SIGTERM on, and the exit code back', async () => {
    const { launcher } = await startStaying(old);
    launcher.kill('SIGTERM');
    expect((await once(launcher, 'exit'))[0]).toBe(5);
  });

  test('its sudden death ends the program at once', async () => {
    const { launcher, pid } = await startStaying(old);
    launcher.kill('SIGKILL');
    await once(launcher, 'exit');
    await eventually('the program has ended', () => !existsSync(`/proc/${pid}`) || isZombie(pid), 5000);
  });

  test('no newer Node anywhere: says what to do, exit 2', () => {
    const bin = layPackage(join(root, 'p'));
    const ran = spawnSync(old, [bin, 'x'], { encoding: 'utf8', env: { PATH: dirname(old), HOME: root } });
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('npm ci');
  });
});

async function startStaying(old: string) {
  const bin = layPackage(join(root, 'p'), process.execPath);
  const launcher = spawn(old, [bin, 'stay'], { stdio: ['ignore', 'pipe', 'inherit'], env: environment() });
  const [line] = (await once(createInterface(launcher.stdout), 'line')) as [string];
  return { launcher, pid: (JSON.parse(line) as { pid: number }).pid };
}

function run(node: string, bin: string, ...args: readonly string[]) {
  return spawnSync(node, [bin, ...(args.length === 0 ? ['x'] : args)], {
    encoding: 'utf8',
    timeout: 10_000,
    env: environment(),
  });
}

/** What is compiled is kept in the scratch folder. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, XDG_CACHE_HOME: join(root, 'cache') };
}

/** A package of the launcher and a stub program; with a `node` package beside it when one is given. */
function layPackage(dir: string, node?: string): string {
  mkdirSync(join(dir, 'src'), { recursive: true });
  mkdirSync(join(dir, 'dist', 'src'), { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  writeFileSync(join(dir, 'src', 'main.ts'), PROGRAM);
  cpSync('bin', join(dir, 'bin'), { recursive: true });
  if (node !== undefined) layNode(dir, node);
  return join(dir, 'bin', 'mainstay.js');
}

function layNode(dir: string, node: string): void {
  const home = join(dir, 'node_modules', 'node');
  mkdirSync(join(home, 'bin'), { recursive: true });
  symlinkSync(node, join(home, 'bin', 'node'));
  writeFileSync(join(home, 'package.json'), JSON.stringify({ version: process.versions.node }));
}

function isZombie(pid: number): boolean {
  return spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.startsWith('Z');
}

function findOldNode(): string | null {
  for (const dir of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']) {
    const node = resolve(dir, 'node');
    if (dir === '' || !existsSync(node)) continue;
    const major = Number.parseInt(
      spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout,
      10,
    );
    if (major >= 18 && major < 24) return node;
  }
  return null;
}
