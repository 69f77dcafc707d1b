/** Scratch repositories for the tests of the git adapter: real git, one temporary folder a test, cleaned up. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { afterEach } from 'vitest';

import { gitEnvironment } from '../../../src/adapters/system/git-environment.ts';
import { openIntentRepository } from '../../../src/adapters/git/repository.ts';
import type { GitRepository } from '../../../src/adapters/git/repository.ts';
import type { Clock, Log } from '../../../src/ports.ts';

export const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

export const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve(false);
      });
    }),
};

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Runs at the end of the test, last registered first. */
export function atEnd(cleanup: () => Promise<void> | void): void {
  cleanups.push(cleanup);
}

export function scratchDir(): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'mainstay-git-'));
  atEnd(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }));
  return dir;
}

export const testEnvironment = gitEnvironment({
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
});

/** Stock git; throws with its stderr when it fails. */
export function git(cwd: string, args: readonly string[], input?: string | Buffer): string {
  return execFileSync('git', args, {
    cwd,
    env: testEnvironment,
    input: input ?? '',
    maxBuffer: 1 << 28,
    stdio: 'pipe',
  }).toString();
}

export async function open(
  dir: string,
  more: { resolveEveryMs?: number; dataDir?: string } = {},
): Promise<GitRepository> {
  const opened = await openIntentRepository({ path: dir, branch: 'main', log: silent, clock, ...more });
  if (!opened.ok) throw new Error(opened.error.message);
  atEnd(() => opened.value.close());
  return opened.value;
}

/** Waits until the condition holds; fails after the limit. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`the condition did not hold within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
