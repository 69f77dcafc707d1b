/** A person's clone of the intent repository: documents in, commits and pushes out, with stock git. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { git, remoteLines, startGit, tryGit } from './git.ts';
import type { Ran, Running } from './run-command.ts';

export type Doc = Readonly<Record<string, unknown>>;

export interface Pushed extends Ran {
  /** What Mainstay said, in order, without `remote: ` and padding. */
  readonly said: readonly { readonly at: number; readonly text: string }[];
  /** HEAD that was pushed. */
  readonly commit: string;
}

export interface IntentRepo {
  readonly dir: string;
  /** Writes a file: text as it stands, or a document as YAML. Null removes it. */
  write(path: string, content: string | Doc | null): Promise<void>;
  read(path: string): Promise<string>;
  /** Commits all changes and returns the hash. */
  commit(message?: string): Promise<string>;
  /** Pushes HEAD to a branch (main) and waits until git ends. */
  push(args?: readonly string[]): Promise<Pushed>;
  /** The same without waiting. */
  startPush(args?: readonly string[]): Promise<Running & { readonly commit: string }>;
  /** Write, commit and push in one. */
  change(files: Readonly<Record<string, string | Doc | null>>, message?: string): Promise<Pushed>;
  /** Takes up what the server has (deploys through the API are commits there). */
  pull(): Promise<string>;
  git(...args: string[]): Promise<string>;
}

/** Makes a clone in `dir` of the repository at `remote` (a URL with its token, or a path). */
export async function openIntentRepo(dir: string, remote: string): Promise<IntentRepo> {
  await mkdir(dir, { recursive: true });
  await git(dir, ['init', '-q', '-b', 'main']);
  await git(dir, ['remote', 'add', 'origin', remote]);
  await git(dir, ['fetch', '-q', 'origin']);
  const there = await tryGit(dir, ['rev-parse', '-q', '--verify', 'refs/remotes/origin/main']);
  if (there.code === 0) await git(dir, ['reset', '-q', '--hard', 'origin/main']);

  const write = async (path: string, content: string | Doc | null): Promise<void> => {
    const file = join(dir, path);
    if (content === null) return rm(file);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, typeof content === 'string' ? content : stringify(content));
  };
  const commit = async (message = 'change'): Promise<string> => {
    await git(dir, ['add', '-A']);
    await git(dir, ['commit', '-q', '--allow-empty', '-m', message]);
    return git(dir, ['rev-parse', 'HEAD']);
  };
  const startPush = async (
    args: readonly string[] = ['HEAD:main'],
  ): Promise<Running & { commit: string }> => {
    const head = await git(dir, ['rev-parse', 'HEAD']);
    return { ...startGit(dir, ['push', 'origin', ...args], { limitMs: 90_000 }), commit: head };
  };
  const push = async (args?: readonly string[]): Promise<Pushed> => {
    const running = await startPush(args);
    const ran = await running.done;
    return { ...ran, said: remoteLines(ran), commit: running.commit };
  };
  return {
    dir,
    write,
    read: (path) => readFile(join(dir, path), 'utf8'),
    commit,
    push,
    startPush,
    change: async (files, message) => {
      for (const [path, content] of Object.entries(files)) await write(path, content);
      await commit(message);
      return push();
    },
    pull: async () => {
      await git(dir, ['fetch', '-q', 'origin']);
      await git(dir, ['reset', '-q', '--hard', 'origin/main']);
      return git(dir, ['rev-parse', 'HEAD']);
    },
    git: (...args) => git(dir, args),
  };
}
