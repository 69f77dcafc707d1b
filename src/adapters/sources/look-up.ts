/** Asks one git process what names stand for. Reads objects and refs only; never the network, never a work tree. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { sourceGitEnvironment } from '../system/git-environment.ts';

/** `ambiguous`: an abbreviated hash of more than one object. */
export type Answer = { readonly oid: string; readonly type: string } | 'missing' | 'ambiguous';

/** Answers each name in turn. Names must hold no line break. */
export type Ask = (names: readonly string[]) => Promise<readonly Answer[]>;

const LIMIT_MS = 20_000;

/**
 * Runs `use` with a git that stays open for it, so that one question may rest on the last answer at the cost of one
 * process. Rejects with git's own words when git cannot read the repository at all.
 */
export async function lookUp<T>(
  gitDir: string,
  signal: AbortSignal,
  use: (ask: Ask) => Promise<T>,
): Promise<T> {
  const child = spawn('git', [`--git-dir=${gitDir}`, 'cat-file', '--batch-check'], {
    env: sourceGitEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
    killSignal: 'SIGKILL',
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-2_000);
  });
  child.stdin.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      complaint ||= error.message;
      resolve();
    });
    child.once('close', () => resolve());
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  try {
    return await use(async (names) => {
      child.stdin.write(names.map((name) => `${name}\n`).join(''));
      const answers: Answer[] = [];
      for (const _name of names) {
        const line = await lines.next();
        if (line.done === true) {
          await ended;
          throw new Error(complaint.trim() || 'git ended without an answer');
        }
        answers.push(parse(line.value));
      }
      return answers;
    });
  } finally {
    child.stdin.end();
    await ended;
  }
}

function parse(line: string): Answer {
  const found = /^([0-9a-f]{40,64}) (\w+) \d+$/.exec(line);
  if (found?.[1] !== undefined && found[2] !== undefined) return { oid: found[1], type: found[2] };
  return line.endsWith(' ambiguous') ? 'ambiguous' : 'missing';
}
