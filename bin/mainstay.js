#!/usr/bin/env node
/**
 * Starts mainstay under a Node that can run it. Plain JavaScript for Node 18 and later: it decides which runtime and
 * which build of the program (sources in a checkout, dist when installed), and nothing else.
 *
 * Where this Node is too old, the one that `npm ci` installed beside the package takes over: in the same process
 * where that is possible, else as a child that ends with this process, however that ends.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import module from 'node:module';
import { constants, homedir } from 'node:os';
import { delimiter, dirname, join, resolve, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const WANTED = 24;
/** Set for the child alone: the descriptor that closes when the launcher is gone. */
const LEASH = 'MAINSTAY_LAUNCHER_FD';
const LEASH_FD = 3;
/** For `serve` alone, which stays: less memory while it is small, see docs/decisions/0005-memory.md. */
const LEAN = ['--expose-gc', '--no-turbofan'];
const LEAN_ENV = { MALLOC_ARENA_MAX: '2' };
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];

const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));

if (major(process.versions.node) >= WANTED && !wantsLean()) {
  await watchLauncher();
  keepCompiled();
  await import(pathToFileURL(entry()).href);
} else if (major(process.versions.node) >= WANTED) {
  takeOver(process.execPath);
} else {
  const node = findNode();
  if (node === null) fail();
  else if (typeof process.execve === 'function') takeOver(node);
  else runUnder(node);
}

/** Compiled code is kept for the next start, which halves it: in the checkout, else where the user's caches are. */
function keepCompiled() {
  const own = join(root, 'node_modules');
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const failed = module.constants?.compileCacheStatus?.FAILED;
  for (const dir of existsSync(own) ? [join(own, '.cache'), cache] : [cache]) {
    if (module.enableCompileCache?.(join(dir, 'mainstay')).status !== failed) return;
  }
}

/** Sources in a checkout; dist under node_modules, where Node strips no types, and wherever there are no sources. */
function entry() {
  const source = join(root, 'src', 'main.ts');
  const built = join(root, 'dist', 'src', 'main.js');
  const installed = root.split(sep).includes('node_modules');
  const order = installed ? [built, source] : [source, built];
  const found = order.find((path) => existsSync(path));
  if (found !== undefined) return found;
  process.stderr.write(
    `mainstay: neither ${source} nor ${built} is there; run \`npm run build\` or install it again\n`,
  );
  return process.exit(2);
}

/** The `node` package near this one (in its own node_modules, or hoisted further up), then PATH. */
function findNode() {
  for (let dir = root; ; dir = dirname(dir)) {
    const installed = join(dir, 'node_modules', 'node');
    const node = join(installed, 'bin', 'node');
    if (versionOf(installed) >= WANTED && existsSync(node)) return node;
    if (dirname(dir) === dir) break;
  }
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    const node = resolve(dir, 'node');
    if (dir !== '' && existsSync(node) && majorOf(node) >= WANTED) return node;
  }
  return null;
}

/** What a `node` package says of itself: asking the binary would cost a start. */
function versionOf(dir) {
  try {
    return major(JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')).version);
  } catch {
    return 0;
  }
}

function majorOf(path) {
  const asked = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8', timeout: 10_000 });
  return asked.status === 0 ? major(asked.stdout) : 0;
}

function major(version) {
  return Number.parseInt(version, 10);
}

/** The daemon under its flags: in the place of this process, so that it keeps its pid. Where that cannot be, without. */
function wantsLean() {
  const can = typeof process.execve === 'function' && process.env[LEASH] === undefined;
  return can && flags().some((flag) => !process.execArgv.includes(flag));
}

function flags() {
  return process.argv[2] === 'serve' ? LEAN : [];
}

/** What follows the executable in the process that takes over. */
function words() {
  const own = process.execArgv.filter((flag) => !flags().includes(flag));
  return [...flags(), ...own, self, ...process.argv.slice(2)];
}

function environment() {
  return flags().length === 0 ? process.env : { ...LEAN_ENV, ...process.env };
}

function takeOver(node) {
  process.execve(node, [node, ...words()], environment());
}

function runUnder(node) {
  const child = spawn(node, words(), {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...environment(), [LEASH]: String(LEASH_FD) },
  });
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`mainstay: could not start ${node}: ${error.message}\n`);
    process.exit(2);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of FORWARDED) process.removeAllListeners(name);
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 1000);
  });
}

/** In the child: when the launcher is gone without a word (kill -9), so is this process, at once. */
async function watchLauncher() {
  const fd = process.env[LEASH];
  if (fd === undefined) return;
  delete process.env[LEASH];
  const { Socket } = await import('node:net');
  const leash = new Socket({ fd: Number(fd), readable: true, writable: false });
  const end = () => process.kill(process.pid, 'SIGKILL');
  leash.on('close', end).on('error', end).resume().unref();
}

function fail() {
  process.stderr.write(
    `mainstay: Node ${WANTED} or later is needed; this is ${process.versions.node} (${process.execPath}).\n` +
      `In a checkout run \`npm ci\`, which brings one along. Otherwise install Node ${WANTED} and try again.\n`,
  );
  process.exit(2);
}
