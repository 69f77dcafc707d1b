/**
 * Runs stock git: arguments as arrays, a hermetic environment, a time limit, bounded output, an AbortSignal.
 * Decides nothing about what git is asked. A non-zero exit is an answer (`run`) or an error (`must`), as the caller says.
 */
import { err, failure, ok } from '../../base/result.ts';
import type { Result } from '../../base/result.ts';
import { messageOf } from '../../base/thrown.ts';
import type { Quarantine } from '../../ports.ts';
import { gitEnvironment } from '../system/git-environment.ts';
import { runProgram } from '../system/run-program.ts';

/** Oldest git with `cat-file --batch-command`. */
const OLDEST_GIT = '2.36';

const TIMEOUT_MS = 60_000;
const OUTPUT_MAX_BYTES = 128 * 1024 * 1024;
const ATTEMPTS_MAX = 4;
/** A repack beside us removed a folder of loose objects at the moment in which git wrote into it. */
const FOLDER_VANISHED = /unable to (?:write|create|open|rename) .*: No such file or directory/;

const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.fsync=committed,reference',
  'core.fsyncMethod=fsync',
  'gc.auto=0',
];
const OURS = SETTINGS.flatMap((setting) => ['-c', setting]).concat(
  '--literal-pathspecs',
  '--no-replace-objects',
);

export interface GitOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
  readonly cwd?: string;
}

export interface GitOutput {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Git could not run, ran too long, wrote too much, or (for `must`) ended with another code than 0. */
export class GitError extends Error {
  readonly code: number | null;
  readonly stderr: string;

  constructor(message: string, code: number | null, stderr: string) {
    super(message);
    this.name = 'GitError';
    this.code = code;
    this.stderr = stderr;
  }
}

/** Stock git on one repository. */
export interface Git {
  readonly gitDir: string;
  /** Options that come before every subcommand. */
  readonly prefix: readonly string[];
  /** Any exit code is an answer; rejects with GitError when git could not run to its end. */
  run(args: readonly string[], options?: GitOptions): Promise<GitOutput>;
  /** Standard output; rejects with GitError on any exit code but 0. What is asked must bear being asked again. */
  must(args: readonly string[], options?: GitOptions): Promise<Buffer>;
}

/** `dataDir` is put into the arguments, so that every process of a daemon can be told by its data folder. */
export function createGit(repository: {
  readonly gitDir: string;
  readonly workTree?: string | undefined;
  readonly dataDir?: string | undefined;
}): Git {
  const { gitDir, workTree, dataDir } = repository;
  const prefix = [
    ...(dataDir === undefined ? [] : ['-c', `mainstay.data=${dataDir}`]),
    // Hooks and monitors of the repository are for people's commands, not for ours.
    ...OURS,
    `--git-dir=${gitDir}`,
    ...(workTree === undefined ? [] : [`--work-tree=${workTree}`]),
  ];
  const run = (args: readonly string[], options: GitOptions = {}): Promise<GitOutput> =>
    runGit([...prefix, ...args], options);
  return {
    gitDir,
    prefix,
    run,
    must: async (args, options) => {
      for (let attempt = 1; ; attempt += 1) {
        const output = await run(args, options);
        if (output.code === 0) return output.stdout;
        if (attempt === ATTEMPTS_MAX || !FOLDER_VANISHED.test(output.stderr)) throw gitError(args, output);
      }
    },
  };
}

/** Runs git once with exactly these arguments. On abort git may tidy up (its locks) before it ends. */
export async function runGit(args: readonly string[], options: GitOptions = {}): Promise<GitOutput> {
  const { stdin = '', timeoutMs = TIMEOUT_MS, maxBytes = OUTPUT_MAX_BYTES, signal, cwd, env } = options;
  signal?.throwIfAborted();
  const { end, stdout, stderr } = await runProgram('git', args, {
    env: gitEnvironment(env),
    input: stdin,
    timeoutMs,
    maxOutputBytes: maxBytes,
    cancelWith: 'SIGTERM',
    ...(cwd === undefined ? {} : { cwd }),
    ...(signal === undefined ? {} : { signal }),
  });
  signal?.throwIfAborted();
  switch (end) {
    case 'not-started':
      throw new GitError(`git could not be started: ${stderr}`, null, '');
    case 'timeout':
      throw new GitError(`git ${subcommand(args)} did not end within ${timeoutMs} ms`, null, stderr);
    case 'too-much-output':
      throw new GitError(`git wrote more than ${maxBytes} bytes`, null, stderr);
    case 'signal':
    case 'cancelled':
      return { code: 128, stdout, stderr };
    default:
      return { code: end, stdout, stderr };
  }
}

/** Lets git see the objects of a push that is still being checked. */
export function quarantineEnvironment(quarantine: Quarantine | undefined): Record<string, string> {
  if (quarantine === undefined) return {};
  return {
    GIT_OBJECT_DIRECTORY: quarantine.objectDirectory,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: quarantine.alternates,
    // Makes git refuse to move a ref to objects that may still be thrown away.
    GIT_QUARANTINE_PATH: quarantine.objectDirectory,
  };
}

/** Fails with `git-missing` or `git-too-old`; the value is the version. */
export async function checkGitVersion(): Promise<Result<string>> {
  let text: string;
  try {
    text = (await runGit(['--version'], { timeoutMs: 10_000 })).stdout.toString();
  } catch (error) {
    const why = messageOf(error);
    return err(
      failure(
        'git-missing',
        `Mainstay needs stock git (${OLDEST_GIT} or newer) in PATH: ${why}. Install git and start again.`,
      ),
    );
  }
  const match = /(\d+)\.(\d+)[.\w]*/.exec(text);
  if (match === null) {
    return err(
      failure(
        'git-missing',
        `git --version answered "${text.trim()}", which names no version. Install stock git.`,
      ),
    );
  }
  if (Number(match[1]) < 2 || (Number(match[1]) === 2 && Number(match[2]) < 36)) {
    return err(
      failure(
        'git-too-old',
        `git ${match[0]} is too old: Mainstay needs ${OLDEST_GIT} or newer. Update git.`,
      ),
    );
  }
  return ok(match[0]);
}

/** The error for an exit code that the caller did not expect. */
export function gitError(args: readonly string[], output: GitOutput): GitError {
  const said = output.stderr.trim();
  return new GitError(`git ${subcommand(args)} failed with ${output.code}: ${said}`, output.code, said);
}

function subcommand(args: readonly string[]): string {
  const skipped = new Set(['-c', '-C']);
  return args.find((arg, at) => !arg.startsWith('-') && !skipped.has(args[at - 1] ?? '')) ?? '';
}
