/**
 * A base image for container checks, made of this machine's own programs and the libraries that they name: Node, git,
 * tini, a shell and what the Dockerfile calls. Nothing is pulled, so it works where there is no registry.
 */
import { chmod, copyFile, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ok, run } from './run-command.ts';

const PROGRAMS = 'sh env cat chmod chown id ln ls mkdir rm head base64 tr useradd git'.split(' ');
/** The Docker engine brings tini along under a name of its own. */
const TINI = ['tini', 'docker-init'];
/** A person's PATH often leaves out where useradd lies. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`;

/** Why no base image can be made here; null when it can. */
export async function whyNoBase(): Promise<string | null> {
  if (process.platform !== 'linux') return 'a base image can be made on Linux alone';
  const found = await Promise.all(PROGRAMS.map((name) => find([name])));
  const missing = PROGRAMS.filter((_, index) => found[index] === null);
  if ((await find(TINI)) === null) missing.push('tini');
  return missing.length === 0 ? null : `for a base image these are missing here: ${missing.join(', ')}`;
}

/** Makes the image `tag` by way of files below `scratch`; whoever calls removes both. */
export async function makeBase(tag: string, scratch: string): Promise<void> {
  const root = join(scratch, 'root');
  for (const dir of [
    'usr/bin',
    'usr/sbin',
    'usr/lib',
    'usr/lib64',
    'usr/local/bin',
    'etc',
    'home',
    'root',
    'tmp',
  ])
    await mkdir(join(root, dir), { recursive: true });
  await chmod(join(root, 'tmp'), 0o1777);
  for (const dir of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${dir}`, join(root, dir));
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\n');
  const sources = new Map([['node', process.execPath]]);
  for (const name of PROGRAMS) sources.set(name, (await find([name])) ?? name);
  sources.set('tini', (await find(TINI)) ?? 'tini');
  const libraries = new Set<string>();
  for (const [name, source] of sources) {
    await copyFile(source, join(root, 'usr/bin', name));
    for (const library of await librariesOf(source)) libraries.add(library);
  }
  for (const library of libraries) {
    await mkdir(dirname(join(root, library)), { recursive: true });
    await copyFile(library, join(root, library));
  }
  const tar = join(scratch, 'root.tar');
  const env = { PATH, HOME: process.env['HOME'] ?? '/' };
  await ok('tar', ['-C', root, '--owner=0', '--group=0', '-cf', tar, '.'], { env });
  await ok('docker', ['import', tar, tag], { env: { ...process.env, PATH } as Record<string, string> });
}

/** The file behind the first of these names that PATH knows. */
async function find(names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    const ran = await run('sh', ['-c', 'command -v -- "$1"', 'sh', name], { env: { PATH } });
    if (ran.code === 0) return realpath(ran.stdout.trim());
  }
  return null;
}

/** What the loader would load for it; none for a static one. */
async function librariesOf(file: string): Promise<readonly string[]> {
  const ran = await run('ldd', [file], { env: { PATH } });
  return [...ran.stdout.matchAll(/(?:^|\s)(\/\S+) \(0x/gm)].map((match) => match[1] ?? '');
}
