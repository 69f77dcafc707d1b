/**
 * Runs a helper program to its end: no shell, limited time, limited output, ended with the signal. Says how it ended;
 * what that means is the caller's to decide.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { sendSignal } from './signal.ts';

export interface RunOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  /** Default 30 s. */
  readonly timeoutMs?: number;
  /** Of stdout; more ends the program. Default 64 MiB. */
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal;
  /** What the program is sent when `signal` comes; it must end before its time is up. Default SIGKILL. */
  readonly cancelWith?: NodeJS.Signals;
}

export interface ProgramEnd {
  /** Exit code, or why there is none. */
  readonly end: number | 'signal' | 'timeout' | 'cancelled' | 'too-much-output' | 'not-started';
  readonly stdout: Buffer;
  /** The last 16 KiB. */
  readonly stderr: string;
}

const STDERR_MAX_BYTES = 16 * 1024;

/** Never rejects: a program that cannot be started is `not-started` with the system's words in `stderr`. */
export function runProgram(file: string, args: readonly string[], options: RunOptions): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    if (options.signal?.aborted === true)
      return resolve({ end: 'cancelled', stdout: Buffer.alloc(0), stderr: '' });
    const child = spawn(file, [...args], {
      env: options.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own: git starts helpers that would keep our pipes open after git itself was ended.
      detached: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const out: Buffer[] = [];
    let outBytes = 0;
    let errors = Buffer.alloc(0);
    let early: ProgramEnd['end'] | null = null;

    const stop = (why: ProgramEnd['end'], by: NodeJS.Signals = 'SIGKILL'): void => {
      early ??= why;
      endGroup(child, by);
    };
    const onAbort = (): void => stop('cancelled', options.cancelWith);
    const timer = setTimeout(() => stop('timeout'), options.timeoutMs ?? 30_000);
    options.signal?.addEventListener('abort', onAbort, { once: true });

    const finish = (end: ProgramEnd['end']): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      resolve({ end: early ?? end, stdout: Buffer.concat(out), stderr: errors.toString('utf8') });
    };
    child.stdout.on('data', (chunk: Buffer) => {
      outBytes += chunk.length;
      if (outBytes > (options.maxOutputBytes ?? 64 * 1024 * 1024)) stop('too-much-output');
      else out.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors = Buffer.concat([errors, chunk]).subarray(-STDERR_MAX_BYTES);
    });
    child.once('error', (error) => {
      errors = Buffer.from(error.message);
      finish('not-started');
    });
    child.once('close', (code) => finish(code ?? 'signal'));
    // A program that ends without reading its input is judged by its exit code, not by the broken pipe.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input);
  });
}

function endGroup(child: ChildProcess, by: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  sendSignal(-child.pid, by);
}
