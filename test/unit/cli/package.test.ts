/** The package as published: built, laid out as npm would, and started from under node_modules. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const execute = promisify(execFile);
/** What is compiled is kept in the scratch folder. */
const run = (file: string, args: readonly string[]) =>
  execute(file, args, { env: { ...process.env, XDG_CACHE_HOME: join(scratch, 'cache') } });
const PUBLISHED_ELSEWHERE = ['docs', 'CHANGELOG.md'];

let scratch: string;
let bin: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'mst-package-'));
  const modules = join(scratch, 'node_modules');
  const home = join(modules, 'mainstay');
  await mkdir(home, { recursive: true });
  const manifest = JSON.parse(await readFile('package.json', 'utf8')) as {
    files: string[];
    dependencies: Record<string, string>;
  };
  await cp('package.json', join(home, 'package.json'));
  for (const entry of manifest.files.map((name) => name.replace('/*.json', ''))) {
    if (entry !== 'dist' && !PUBLISHED_ELSEWHERE.includes(entry))
      await cp(entry, join(home, entry), { recursive: true });
  }
  // Also what the direct ones need, which npm hoists beside them; nothing that only development needs.
  for (const name of await neededModules()) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(resolve('node_modules', name), join(modules, name));
  }
  await run('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', join(home, 'dist')]);
  bin = join(home, 'bin', 'mainstay.js');
}, 120_000);

afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Names of the packages that are installed for users, at the top of node_modules. */
async function neededModules(): Promise<readonly string[]> {
  const lock = JSON.parse(await readFile('package-lock.json', 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  return Object.entries(lock.packages).flatMap(([path, { dev }]) => {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    return name === undefined || dev === true ? [] : [name];
  });
}

test('starts without type stripping', async () => {
  const { stdout } = await run(process.execPath, ['--no-strip-types', bin, 'version', '--json']);
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  expect(JSON.parse(stdout)).toEqual({ version });
});

test('finds schemas and the example beside dist', async () => {
  await run(process.execPath, [bin, 'init', join(scratch, 'intent')]);
  const { stdout } = await run(process.execPath, [bin, 'validate', join(scratch, 'intent')]);
  expect(stdout).toMatch(/^valid:/);
  expect((await run(process.execPath, [bin, 'schema', 'app'])).stdout).toContain('"title": "App"');
});

test('every module of dist loads, the plain JavaScript ones are there', async () => {
  const dist = join(scratch, 'node_modules', 'mainstay', 'dist');
  const scripts = (await readdir('src', { recursive: true })).filter((name) => name.endsWith('.js'));
  const built = await readdir(join(dist, 'src'), { recursive: true });
  expect(scripts.filter((name) => !built.includes(name))).toEqual([]);
  await run(process.execPath, ['--no-strip-types', bin, 'serve', '--help']);
  // What runs on being loaded is left out; what is loaded only when it is needed is named.
  const entries = ['main.js', 'proxy/main.js', ...scripts];
  const modules = built.filter((name) => name.endsWith('.js') && !entries.includes(name));
  expect(modules.length).toBeGreaterThan(100);
  const loads = [...modules.map((name) => join(dist, 'src', name)), 'isomorphic-git'];
  const script = `for (const name of ${JSON.stringify(loads)}) await import(name);`;
  await writeFile(join(dist, 'load.mjs'), script);
  await run(process.execPath, ['--no-strip-types', join(dist, 'load.mjs')]);
});
