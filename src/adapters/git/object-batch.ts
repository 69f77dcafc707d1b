/**
 * One long-lived `git cat-file --batch-command` process: sizes and contents of many objects in one exchange.
 * Started when first needed and again when it died. It sees objects and refs that are written after its start.
 * With a quarantine it is meant for one use and then `close`.
 */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

import { gitEnvironment } from '../system/git-environment.ts';
import { GitError } from './git-command.ts';
import type { Git } from './git-command.ts';

const LIMIT_MS = 60_000;
const HEADER_MAX_BYTES = 8192;

export interface ObjectHead {
  readonly oid: string;
  readonly type: string;
  readonly size: number;
}

export interface BatchObject extends ObjectHead {
  readonly bytes: Buffer;
}

/** Names are object ids or revisions without line breaks. Null: there is no such object (or the name is ambiguous). */
export interface ObjectBatch {
  heads(names: readonly string[]): Promise<(ObjectHead | null)[]>;
  contents(names: readonly string[]): Promise<(BatchObject | null)[]>;
  close(): void;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

export function openObjectBatch(git: Git, env: Readonly<Record<string, string>> = {}): ObjectBatch {
  let child: Child | null = null;
  let tail: Promise<unknown> = Promise.resolve();
  let closed = false;

  const start = (): Child => {
    const started = spawn('git', [...git.prefix, 'cat-file', '--batch-command', '--buffer'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: gitEnvironment(env),
    });
    started.stdin.on('error', () => undefined);
    started.on('error', () => undefined);
    return started;
  };

  const exchange = async (
    command: 'info' | 'contents',
    names: readonly string[],
  ): Promise<(BatchObject | null)[]> => {
    if (closed) throw new GitError('the repository is closed', null, '');
    if (names.length === 0) return [];
    if (names.some((name) => /[\n\r\0]/.test(name)))
      throw new GitError('an object name holds a line break', null, '');
    if (child === null || child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
      child = start();
    const used = child;
    try {
      return await ask(used, command, names);
    } catch (error) {
      used.kill('SIGKILL');
      if (child === used) child = null;
      throw error;
    }
  };

  const queued = (
    command: 'info' | 'contents',
    names: readonly string[],
  ): Promise<(BatchObject | null)[]> => {
    // A reader that died while idle is only noticed by the next question, so that one is asked twice.
    const next = tail.then(() => exchange(command, names).catch(() => exchange(command, names)));
    tail = next.catch(() => undefined);
    return next;
  };

  return {
    heads: (names) => queued('info', names),
    contents: (names) => queued('contents', names),
    close: () => {
      closed = true;
      child?.kill('SIGTERM');
      child = null;
    },
  };
}

function ask(
  child: Child,
  command: 'info' | 'contents',
  names: readonly string[],
): Promise<(BatchObject | null)[]> {
  return new Promise((resolve, reject) => {
    const answers: (BatchObject | null)[] = [];
    const reader = createAnswerReader(command === 'contents');
    const finish = (error: Error | null): void => {
      clearTimeout(timer);
      child.stdout.off('data', onData);
      child.off('close', onClose);
      child.off('error', onClose);
      if (error === null) resolve(answers);
      else reject(error);
    };
    const onClose = (): void => finish(new GitError('git cat-file ended early', child.exitCode, ''));
    const onData = (chunk: Buffer): void => {
      try {
        answers.push(...reader(chunk));
      } catch (error) {
        finish(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      if (answers.length === names.length) finish(null);
    };
    const timer = setTimeout(
      () => finish(new GitError(`git cat-file did not answer within ${LIMIT_MS} ms`, null, '')),
      LIMIT_MS,
    );
    child.stdout.on('data', onData);
    child.on('close', onClose);
    child.on('error', onClose);
    child.stdin.write(`${names.map((name) => `${command} ${name}\n`).join('')}flush\n`);
  });
}

/** Takes chunks as they come and gives the answers that are complete. */
function createAnswerReader(withContents: boolean): (chunk: Buffer) => (BatchObject | null)[] {
  let pending: Buffer[] = [];
  let have = 0;
  let need = 1;
  return (chunk) => {
    pending.push(chunk);
    have += chunk.length;
    // Joining only when a whole answer is there keeps a large object linear.
    if (have < need) return [];
    let buffer = pending.length === 1 ? chunk : Buffer.concat(pending);
    const answers: (BatchObject | null)[] = [];
    need = 1;
    for (;;) {
      const newline = buffer.indexOf(10);
      if (newline < 0) {
        if (buffer.length > HEADER_MAX_BYTES)
          throw new GitError('git cat-file gave no answer line', null, '');
        break;
      }
      const head = parseHead(buffer.toString('utf8', 0, newline));
      const size = head !== null && withContents ? head.size + 1 : 0;
      if (buffer.length < newline + 1 + size) {
        need = newline + 1 + size;
        break;
      }
      answers.push(
        head === null ? null : { ...head, bytes: Buffer.from(buffer.subarray(newline + 1, newline + size)) },
      );
      buffer = buffer.subarray(newline + 1 + size);
    }
    pending = buffer.length === 0 ? [] : [buffer];
    have = buffer.length;
    return answers;
  };
}

function parseHead(line: string): ObjectHead | null {
  const match = /^([0-9a-f]{40,64}) (commit|tree|blob|tag) (\d+)$/.exec(line);
  if (match === null) return null;
  return { oid: match[1] as string, type: match[2] as string, size: Number(match[3]) };
}
