/** Makes a folder a git repository with one commit on main, also for someone who never told git their name. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { err, failure, ok } from '../base/result.ts';
import type { Result } from '../base/result.ts';
import { messageOf } from '../base/thrown.ts';

type Env = Readonly<Record<string, string | undefined>>;

const run = promisify(execFile);
const NEUTRAL = ['-c', 'user.name=mainstay', '-c', 'user.email=mainstay@localhost'];

/** The commit's hash. The neutral author is for this commit alone and only where git knows no other. */
export async function firstCommit(dir: string, message: string, around: Env): Promise<Result<string>> {
  const env = gitEnv(around);
  const git = async (...args: readonly string[]) =>
    (await run('git', ['-C', dir, ...args], { timeout: 30_000, env })).stdout.trim();
  try {
    await git('init', '--quiet', '--initial-branch=main');
    await git('add', '--all');
    const named = await git('config', 'user.email').then(
      () => true,
      () => env['GIT_AUTHOR_EMAIL'] !== undefined,
    );
    await git(...(named ? [] : NEUTRAL), 'commit', '--quiet', '--no-verify', '--no-gpg-sign', '-m', message);
    return ok(await git('rev-parse', 'HEAD'));
  } catch (error) {
    const text = messageOf(error);
    const missing = text.includes('ENOENT');
    return err(
      missing
        ? failure('usage', 'git is needed and was not found on PATH: install git 2.36 or later')
        : failure(
            'git-failed',
            `git could not make the repository: ${text.split('\n').slice(-3).join(' ').trim()}`,
          ),
    );
  }
}

/** The user's own environment and settings, but not the repository of a hook that this may be running in. */
function gitEnv(around: Env): Record<string, string | undefined> {
  const env: Record<string, string | undefined> = { ...around, GIT_TERMINAL_PROMPT: '0' };
  for (const name of ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY', 'GIT_PREFIX'])
    delete env[name];
  return env;
}
