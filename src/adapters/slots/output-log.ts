/** Keeps the output of one command: the first part in a file, the last lines in memory. Both are bounded. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface OutputLog {
  write(chunk: Buffer): void;
  /** The last lines, oldest first; the last one may lack its line break. */
  tail(): readonly string[];
  /** Resolves when everything is in the file, or the file failed. */
  close(): Promise<void>;
}

interface OutputLimits {
  readonly fileBytes: number;
  readonly lines: number;
  readonly lineChars: number;
}

const LIMITS: OutputLimits = { fileBytes: 4 * 1024 * 1024, lines: 40, lineChars: 2_000 };

/** Replaces what a former run left in the file. A file that cannot be written costs the file, not the command. */
export async function openOutputLog(path: string, limits: OutputLimits = LIMITS): Promise<OutputLog> {
  await mkdir(dirname(path), { recursive: true });
  const file: WriteStream = createWriteStream(path, { mode: 0o600 });
  file.on('error', () => {});
  const lines: string[] = [];
  const decoder = new TextDecoder();
  let open = '';
  let written = 0;

  function keep(chunk: Buffer): void {
    const parts = (open + decoder.decode(chunk, { stream: true })).split('\n');
    open = (parts.pop() ?? '').slice(-limits.lineChars);
    for (const line of parts.slice(-limits.lines))
      lines.push(line.replace(/\r$/, '').slice(0, limits.lineChars));
    lines.splice(0, lines.length - limits.lines);
  }

  return {
    write(chunk) {
      keep(chunk);
      if (written >= limits.fileBytes) return;
      file.write(chunk.subarray(0, limits.fileBytes - written));
      written += chunk.length;
      if (written >= limits.fileBytes) file.write('\n[output cut here]\n');
    },
    tail: () => (open === '' ? [...lines] : [...lines, open].slice(-limits.lines)),
    close: () =>
      new Promise((resolve) => {
        if (file.destroyed) return resolve();
        file.once('close', () => resolve());
        file.end();
      }),
  };
}
