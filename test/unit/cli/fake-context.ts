/** A Context of plain values that keeps what was written. */
import type { Context } from '../../../src/cli/context.ts';

export interface FakeContext extends Context {
  stdout(): string;
  stderr(): string;
  /** What SIGINT would do. */
  interrupt(): void;
}

export function fakeContext(more: Partial<Context> = {}): FakeContext {
  let stdout = '';
  let stderr = '';
  const stop = new AbortController();
  return {
    out: (text) => (stdout += text),
    err: (text) => (stderr += text),
    env: { HOME: '/nonexistent', PATH: process.env['PATH'] },
    cwd: '/',
    terminal: false,
    color: false,
    columns: 100,
    self: [process.execPath, new URL('../../../src/main.ts', import.meta.url).pathname],
    stopSignal: () => stop.signal,
    now: () => Date.now(),
    stdout: () => stdout,
    stderr: () => stderr,
    interrupt: () => stop.abort(),
    ...more,
  };
}
