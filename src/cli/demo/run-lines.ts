/** Runs one command and hands on its output line by line as it comes, both streams together. */
import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
}

export interface Ran {
  readonly code: number;
  /** Stdout alone. */
  readonly text: string;
}

const MAX_TEXT = 1024 * 1024;

/** Rejects when the command cannot be started, is interrupted or takes longer than its limit. */
export function runLines(command: readonly string[], options: RunOptions): Promise<Ran> {
  const [file = '', ...args] = command;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.limitMs)]);
  return new Promise((settle, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env,
      signal,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    const lines = createLineSplitter(options.onLine ?? (() => undefined));
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (text.length < MAX_TEXT) text += chunk;
      lines.push(chunk);
    });
    const errors = createLineSplitter(options.onLine ?? (() => undefined));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => errors.push(chunk));
    child.on('error', (error) => reject(new Error(`${file} ${args[0] ?? ''}: ${error.message}`)));
    child.on('close', (code) => {
      lines.end();
      errors.end();
      settle({ code: code ?? 1, text });
    });
  });
}

interface LineSplitter {
  push(chunk: string): void;
  end(): void;
}

/** Carriage returns and the padding that git puts behind `remote:` lines are dropped. */
function createLineSplitter(onLine: (line: string) => void): LineSplitter {
  let rest = '';
  return {
    push: (chunk) => {
      const parts = (rest + chunk).split(/[\r\n]+/);
      rest = parts.pop() ?? '';
      for (const part of parts) if (part.trim() !== '') onLine(part.trimEnd());
    },
    end: () => {
      if (rest.trim() !== '') onLine(rest.trimEnd());
      rest = '';
    },
  };
}
