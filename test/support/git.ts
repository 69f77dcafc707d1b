/** Stock git as a user has it, without this machine's configuration. */
import { ok, run, start, type Ran, type RunOptions, type Running } from './run-command.ts';

/** The whole environment that git gets in tests. */
export function gitEnv(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ada Person',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_COMMITTER_NAME: 'Ada Person',
    GIT_COMMITTER_EMAIL: 'ada@example.org',
    ...extra,
  };
}

/** Runs git in `dir` and returns stdout; fails unless it exits 0. */
export function git(dir: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return ok('git', ['-C', dir, ...args], { ...options, env: gitEnv(options.env) });
}

/** Runs git in `dir` to its end, whatever it says. */
export function tryGit(dir: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return run('git', ['-C', dir, ...args], { ...options, env: gitEnv(options.env) });
}

export function startGit(dir: string, args: readonly string[], options: RunOptions = {}): Running {
  return start('git', ['-C', dir, ...args], { ...options, env: gitEnv(options.env) });
}

/** What the other side said in a push, without git's prefix and padding. */
export function remoteLines(ran: { readonly lines: Ran['lines'] }): readonly { at: number; text: string }[] {
  return ran.lines
    .filter((line) => line.stream === 'stderr' && line.text.startsWith('remote: '))
    .map((line) => ({ at: line.at, text: line.text.slice('remote: '.length).trimEnd() }));
}
