/** Which program is measured: the package as it is published (the default), or the sources of the checkout. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));

/** The launcher of the checkout. */
export const SOURCES = join(CHECKOUT, 'bin', 'mainstay.js');

/** Builds the package and lays it out below `scratch` as npm would; its launcher. */
export async function buildPackage(scratch: string): Promise<string> {
  const modules = join(scratch, 'node_modules');
  const home = join(modules, 'mainstay');
  await mkdir(home, { recursive: true });
  const { files } = JSON.parse(await readFile(join(CHECKOUT, 'package.json'), 'utf8')) as { files: string[] };
  for (const entry of ['package.json', ...files]) {
    const name = entry.replace('/*.json', '');
    if (name !== 'dist') await cp(join(CHECKOUT, name), join(home, name), { recursive: true });
  }
  for (const name of await readdir(join(CHECKOUT, 'node_modules'))) {
    if (!name.startsWith('.')) await symlink(join(CHECKOUT, 'node_modules', name), join(modules, name));
  }
  const tsc = join(CHECKOUT, 'node_modules', '.bin', 'tsc');
  await execute(tsc, ['-p', join(CHECKOUT, 'tsconfig.build.json'), '--outDir', join(home, 'dist')]);
  return join(home, 'bin', 'mainstay.js');
}
