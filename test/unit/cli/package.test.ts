/** The package as published: built, laid out as npm would, and started from under node_modules. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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
  // All of them, not only the direct ones: npm hoists what those need beside them.
  for (const name of await readdir('node_modules')) {
    if (!name.startsWith('.')) await symlink(resolve('node_modules', name), join(modules, name));
  }
  await run('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', join(home, 'dist')]);
  bin = join(home, 'bin', 'mainstay.js');
}, 120_000);

afterAll(() => rm(scratch, { recursive: true, force: true }));

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
});
