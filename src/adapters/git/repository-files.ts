/**
 * Finds or makes the repository at a path: a bare one (made here when nothing is there) is the daemon's own and is
 * configured for it; one with a work tree belongs to a person and is only followed. Says clearly what is unsupported.
 */
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

import { err, failure, ok } from '../../base/result.ts';
import type { Result } from '../../base/result.ts';
import { createGit, runGit } from './git-command.ts';
import type { Git } from './git-command.ts';

export interface RepositoryPlace {
  /** Absolute path as the user knows it: the git dir of a bare repository, the work tree otherwise. */
  readonly path: string;
  readonly gitDir: string;
  /** Holds `refs/` and `objects/`; another one than `gitDir` in a linked work tree. */
  readonly commonDir: string;
  readonly bare: boolean;
}

/** What an owned bare repository is set to; everything else stays as people left it. */
const OWN_CONFIG: Readonly<Record<string, string>> = {
  'receive.fsckobjects': 'true',
  'receive.autogc': 'false',
  'gc.auto': '0',
  'core.fsync': 'committed,reference',
  // Not `batch`: git then moves new objects into place at its end without looking whether that worked, and a repack
  // beside it can make that fail.
  'core.fsyncmethod': 'fsync',
  'transfer.hiderefs': 'refs/mainstay',
};

/** Makes a bare repository, its HEAD on `branch`, unless one is there. Idempotent; also sets what ours need. */
export async function ensureBareRepository(dir: string, branch: string): Promise<Result<RepositoryPlace>> {
  const place = await locate(dir);
  if (!place.ok) return place;
  if (place.value !== null) return place.value.bare ? await configured(place.value) : notBare(dir);
  await mkdir(path.dirname(path.resolve(dir)), { recursive: true });
  const made = await runGit(
    [
      'init',
      '--quiet',
      '--bare',
      '--object-format=sha1',
      '--template=',
      `--initial-branch=${branch}`,
      '--',
      path.resolve(dir),
    ],
    // Newer git may default to reftable, which we cannot watch.
    { env: { GIT_DEFAULT_REF_FORMAT: 'files' } },
  );
  if (made.code !== 0) {
    return err(
      failure('repository-unreadable', `git could not create a repository at ${dir}: ${made.stderr.trim()}`),
    );
  }
  const own = path.resolve(dir);
  return await configured({ path: own, gitDir: own, commonDir: own, bare: true });
}

/** The repository at `dir`, or null when there is nothing, or an empty folder. */
export async function locate(dir: string): Promise<Result<RepositoryPlace | null>> {
  if (/[\n\r\0]/.test(dir))
    return err(failure('path-invalid', 'the repository path holds a line break; choose another one'));
  const given = path.resolve(dir);
  const root = path.basename(given) === '.git' ? path.dirname(given) : given;
  if (await exists(path.join(root, '.git'))) return await located(root, false);
  if ((await exists(path.join(root, 'HEAD'))) && (await exists(path.join(root, 'objects'))))
    return await located(root, true);
  const names = await readdir(root).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? [] : null,
  );
  if (names === null || names.length > 0) {
    const what = `${root} is no git repository, nor a free path for a new one`;
    return err(failure('repository-missing', `${what}; give the path of a repository (see 'mainstay init')`));
  }
  return ok(null);
}

async function located(root: string, bare: boolean): Promise<Result<RepositoryPlace>> {
  const unsupported = await unsupportedFormat(bare ? root : path.join(root, '.git'));
  if (unsupported !== null) return err(failure('repository-unsupported', `${root}: ${unsupported}`));
  const args = ['rev-parse', '--path-format=absolute', '--git-dir', '--git-common-dir'];
  // Never the repository that merely surrounds the path.
  const env = { GIT_CEILING_DIRECTORIES: path.dirname(root) };
  const found = await runGit(args, { cwd: root, env });
  const [gitDir, commonDir] = found.stdout.toString().split('\n');
  if (found.code !== 0 || !gitDir || !commonDir) {
    const hint = found.stderr.includes('dubious ownership')
      ? ' Run the daemon as the owner of that folder, or change its owner.'
      : '';
    return err(
      failure('repository-unreadable', `git cannot open ${root}: ${firstLine(found.stderr)}.${hint}`),
    );
  }
  return ok({ path: root, gitDir, commonDir, bare });
}

async function configured(place: RepositoryPlace): Promise<Result<RepositoryPlace>> {
  const git = createGit(place);
  const listed = await git.run(['config', '--local', '--list', '-z']);
  const now = new Map(
    listed.stdout
      .toString()
      .split('\0')
      .map((entry): [string, string] => [
        entry.split('\n', 1)[0] ?? '',
        entry.slice(entry.indexOf('\n') + 1),
      ]),
  );
  for (const [key, value] of Object.entries(OWN_CONFIG)) {
    if (now.get(key) !== value) await setConfig(git, key, value);
  }
  return ok(place);
}

/** Sets one value in the repository's own configuration. Rejects when git cannot. */
export async function setConfig(git: Git, key: string, value: string): Promise<void> {
  await git.must(['config', '--local', '--replace-all', key, value]);
}

async function unsupportedFormat(gitDir: string): Promise<string | null> {
  const config = await readFile(path.join(gitDir, 'config'), 'utf8').catch(() => '');
  if (/^\s*objectformat\s*=\s*"?sha256/im.test(config)) {
    return 'its objects are SHA-256, which is not supported yet; use a SHA-1 repository (git init --object-format=sha1)';
  }
  if (/^\s*refstorage\s*=\s*"?reftable/im.test(config)) {
    return 'its refs are a reftable, which is not supported yet; use file refs (git refs migrate --ref-format=files)';
  }
  return null;
}

function notBare(dir: string): Result<never> {
  return err(
    failure('repository-unsupported', `${dir} has a work tree; a repository to push to must be bare`),
  );
}

function firstLine(text: string): string {
  return (text.trim().split('\n', 1)[0] ?? '').replace(/\.$/, '');
}

async function exists(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    () => false,
  );
}
