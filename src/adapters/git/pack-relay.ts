/**
 * Carries what a git process writes to an HTTP client as it comes, and drains it when the client is gone, so that git
 * never waits for a reader that left. Bounded by the pace of the client, who is given up when it stalls.
 */
import type { ChildProcess } from 'node:child_process';
import type { ServerResponse } from 'node:http';

import type { Log } from '../../ports.ts';

const STALL_LIMIT_MS = 5 * 60_000;
const STDERR_MAX_CHARS = 4096;

/** Resolves when the process has ended. `onLeft` is called once if the client went away before that. */
export function relayOutput(
  child: ChildProcess,
  res: ServerResponse,
  options: { readonly onLeft: () => void; readonly log: Log },
): Promise<void> {
  return new Promise((resolve) => {
    let stalled: NodeJS.Timeout | undefined;
    let stderr = '';
    const onClose = (): void => {
      if (res.writableFinished) return;
      clearTimeout(stalled);
      options.onLeft();
      child.stdout?.resume();
    };
    res.on('error', () => undefined);
    res.on('close', onClose);
    if (res.closed) onClose();
    res.on('drain', () => {
      clearTimeout(stalled);
      child.stdout?.resume();
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      if (res.destroyed || res.write(chunk)) return;
      child.stdout?.pause();
      clearTimeout(stalled);
      stalled = setTimeout(() => res.destroy(), STALL_LIMIT_MS);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      if (stderr.length < STDERR_MAX_CHARS) stderr += chunk.toString();
    });
    child.on('error', (error) => options.log.error('git could not be started', { error: error.message }));
    child.on('close', (code) => {
      clearTimeout(stalled);
      res.off('close', onClose);
      if (code !== 0) options.log.info('a git service ended with an error', { code, stderr: stderr.trim() });
      res.end();
      resolve();
    });
  });
}
