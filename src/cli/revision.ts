/** What the user means by REF: resolved in the repository they stand in, else left for the daemon to resolve. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Context } from './context.ts';

const run = promisify(execFile);

/** The full hash, when `ref` names a commit in the repository around `cwd`; otherwise `ref` as it stands. */
export async function localCommit(ref: string, context: Context): Promise<string> {
  if (/^[0-9a-f]{40}$/.test(ref)) return ref;
  const asked = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`];
  try {
    const { stdout } = await run('git', asked, { cwd: context.cwd, timeout: 10_000 });
    return /^[0-9a-f]{40}$/.test(stdout.trim()) ? stdout.trim() : ref;
  } catch {
    return ref;
  }
}
