/** Copies a folder with the system's own `cp`, which shares blocks on file systems that can and keeps links and times. */
import { access, mkdir } from 'node:fs/promises';
import { runProgram } from '../system/run-program.ts';

const LIMIT_MS = 120_000;

/**
 * Copies the content of `from` into the new folder `to`. False when it was cancelled, took too long or the disk is
 * full: `to` is then of no use. Files that vanish or cannot be read while it copies are left out: a running program
 * owns that folder, and its artefacts are a help, not a promise.
 */
export async function copyTree(
  from: string,
  to: string,
  { signal, marker }: { readonly signal: AbortSignal; readonly marker: Readonly<Record<string, string>> },
): Promise<boolean> {
  await mkdir(to);
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', ...marker };
  for (const flags of flagsToTry()) {
    const copied = await runProgram('cp', [...flags, '--', `${from}/.`, to], {
      env,
      signal,
      timeoutMs: LIMIT_MS,
    });
    if (/no space left|quota exceeded/i.test(copied.stderr)) return false;
    if (copied.end === 0) return true;
    if (typeof copied.end !== 'number') return false;
    const refusedFlags = /unrecognized option|illegal option|invalid option|usage:/i.test(copied.stderr);
    if (!refusedFlags) return access(to).then(() => true);
  }
  return false;
}

function flagsToTry(): readonly (readonly string[])[] {
  return process.platform === 'darwin' ? [['-a', '-c'], ['-a']] : [['-a', '--reflink=auto'], ['-a']];
}
