/**
 * The structured log: one JSON object a line (pino), to stderr or to a file that is rotated by size, and beside it
 * short lines for a person on a terminal. Everything passes the scrubber first; a log that cannot be written never
 * stops the daemon.
 */
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { destination, pino, stdTimeFunctions } from 'pino';
import type { Scrubber } from '../../base/scrub.ts';
import type { Log } from '../../ports.ts';
import { humanLine } from './human-line.ts';
import type { Level } from './human-line.ts';

export interface LogOptions {
  readonly scrubber: Scrubber;
  /** Where the JSON goes. */
  readonly json: 'stderr' | { readonly file: string } | 'off';
  /** Short lines for a terminal, without a line end; null: none. */
  readonly lines: ((line: string) => void) | null;
  readonly color: boolean;
  /** The file is rotated to `FILE.1` before it grows beyond this many bytes (default 10 MiB). */
  readonly fileMaxBytes?: number;
}

export interface OpenLog extends Log {
  /** Writes what is buffered and closes the file. */
  close(): void;
}

const FILE_MAX_BYTES = 10 * 1024 * 1024;

export function createLog(options: LogOptions): OpenLog {
  const sink = openSink(options);
  const logger = pino(
    { timestamp: stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    sink,
  );

  function write(level: Level, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const clean = options.scrubber.value(fields) as Record<string, unknown>;
    const text = options.scrubber.text(message);
    logger[level](clean, text);
    options.lines?.(humanLine({ level, message: text, fields: clean, color: options.color }));
  }

  return {
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    close: () => sink.close(),
  };
}

interface Sink {
  write(line: string): void;
  close(): void;
}

function openSink({ json, fileMaxBytes = FILE_MAX_BYTES }: LogOptions): Sink {
  if (json === 'off') return { write: () => undefined, close: () => undefined };
  const file = json === 'stderr' ? null : json.file;
  if (file !== null) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const out =
    file === null
      ? destination({ dest: 2, sync: true })
      : destination({ dest: file, sync: true, mode: 0o600 });
  // A full disk or a closed terminal: there is no other place to say it, and the daemon's work goes on.
  out.on('error', () => undefined);
  let bytes = file !== null && existsSync(file) ? statSync(file).size : 0;
  return {
    write: (line) => {
      bytes += Buffer.byteLength(line);
      if (file !== null && bytes > fileMaxBytes) {
        rotate(file, () => out.reopen());
        bytes = Buffer.byteLength(line);
      }
      out.write(line);
    },
    close: () => {
      if (file === null) return;
      try {
        out.flushSync();
        out.end();
      } catch {
        // Closed already, or nowhere to write to.
      }
    },
  };
}

function rotate(file: string, reopen: () => void): void {
  try {
    renameSync(file, `${file}.1`);
    reopen();
  } catch {
    // It goes on in the same file; the next line tries again.
  }
}
