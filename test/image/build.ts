/**
 * Builds the image from the Dockerfile as it stands. On a base that was given (MAINSTAY_IMAGE_BASE, for instance
 * node:24-slim) as everybody does, npm and apt included; else on a base made here, with nothing fetched.
 */
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeBase, whyNoBase } from '../support/image-base.ts';
import { ok } from '../support/run-command.ts';
import { docker, whyNoEngine } from './engine.ts';

const GIVEN = process.env['MAINSTAY_IMAGE_BASE'] ?? '';
const BUILD_LIMIT_MS = 600_000;

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What the Dockerfile takes from the build context. */
const CONTEXT = (
  'Dockerfile .dockerignore LICENSE package.json package-lock.json tsconfig.json tsconfig.build.json ' +
  'backends bin intent-example schemas src'
).split(' ');

/** Why the image cannot be built here; null when it can. */
export async function whyNoImage(): Promise<string | null> {
  return (await whyNoEngine()) ?? (GIVEN === '' ? await whyNoBase() : null);
}

/** The tags that building `tag` makes, in the order in which they can be removed. */
export function tagsOf(tag: string): readonly string[] {
  return GIVEN === '' ? [tag, buildTag(tag), baseTag(tag)] : [tag, buildTag(tag)];
}

/** Builds it as `tag`, by way of files below `scratch`; a context of its own does not change between two builds. */
export async function buildImage(tag: string, scratch: string): Promise<void> {
  const context = join(scratch, 'context');
  await mkdir(context);
  for (const path of CONTEXT) await cp(join(ROOT, path), join(context, path), { recursive: true });
  if (GIVEN !== '') return build(tag, ['--build-arg', `BASE=${GIVEN}`, context]);
  await makeBase(baseTag(tag), scratch);
  await prebuild(join(context, 'prebuilt'));
  const args = [
    '--build-arg',
    `BASE=${baseTag(tag)}`,
    '--build-arg',
    'PREBUILT=prebuilt',
    '--network',
    'none',
  ];
  await build(tag, [...args, context]);
}

/** The first stage by a name of its own: some builders leave it behind nameless, and then nobody removes it. */
async function build(tag: string, args: readonly string[]): Promise<void> {
  await docker(['build', '--force-rm', '--target', 'build', '--tag', buildTag(tag), ...args], BUILD_LIMIT_MS);
  await docker(['build', '--force-rm', '--tag', tag, ...args], BUILD_LIMIT_MS);
}

/** What `npm run build` and `npm ci --omit=dev` make, out of what is installed here. */
async function prebuild(folder: string): Promise<void> {
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  await ok(tsc, ['-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '' },
  });
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
  };
  for (const [path, about] of Object.entries(lock.packages))
    if (path !== '' && about.dev !== true && about.optional !== true)
      await cp(join(ROOT, path), join(folder, path), { recursive: true });
}

function buildTag(tag: string): string {
  return `${tag}-build`;
}

function baseTag(tag: string): string {
  return `${tag}-base`;
}
