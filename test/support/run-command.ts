/** Runs a command as a person would, with a limit, and keeps every line of its output with the time it arrived. */
import { spawn } from 'node:child_process';

export interface Line {
  /** Milliseconds since the epoch when its end was read. */
  readonly at: number;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface Ran {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly lines: readonly Line[];
  readonly tookMs: number;
}

export interface Running {
  readonly pid: number;
  readonly lines: readonly Line[];
  /** Everything so far. */
  text(): string;
  kill(signal?: NodeJS.Signals): void;
  readonly done: Promise<Ran>;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly limitMs?: number;
}

/** Starts it in a process group of its own; the group is killed at the limit (60 s unless told). */
export function start(command: string, args: readonly string[], options: RunOptions = {}): Running {
  const began = Date.now();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...options.env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  const lines: Line[] = [];
  const kill = (signal: NodeJS.Signals = 'SIGKILL'): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // already gone
    }
  };
  const collect = (stream: 'stdout' | 'stderr'): void => {
    let rest = '';
    child[stream].setEncoding('utf8').on('data', (chunk: string) => {
      text[stream] += chunk;
      const parts = (rest + chunk).split(/\r\n|\n|\r/);
      rest = parts.pop() ?? '';
      for (const part of parts) lines.push({ at: Date.now(), stream, text: part.trimEnd() });
    });
    child[stream].once('end', () => {
      if (rest !== '') lines.push({ at: Date.now(), stream, text: rest.trimEnd() });
    });
  };
  collect('stdout');
  collect('stderr');
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const limit = setTimeout(() => kill('SIGKILL'), options.limitMs ?? 60_000);
  const done = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, ...text, lines, tookMs: Date.now() - began });
    });
  });
  done.catch(() => undefined);
  return { pid: child.pid ?? -1, lines, text: () => text.stdout + text.stderr, kill, done };
}

/** Runs to the end. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return start(command, args, options).done;
}

/** Runs to the end and fails unless it exits 0; returns stdout without the last newline. */
export async function ok(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const ran = await run(command, args, options);
  if (ran.code !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${ran.code}\n${ran.stderr}${ran.stdout}`);
  }
  return ran.stdout.trimEnd();
}
