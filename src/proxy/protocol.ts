/**
 * What the daemon and the proxy process say to each other: newline-delimited JSON over a private unix socket, each
 * request with an id, answers in any order. Decides the shape alone; what is done about it stands elsewhere.
 */
import type { Failure } from '../base/result.ts';
import type { ProxyTable } from '../model/routes.ts';

/** Rises when an older side could misunderstand; a client that meets another number replaces the process. */
export const PROTOCOL = 1;

/** Longest line in bytes; a peer that sends more is cut off. Room for some ten thousand routes. */
const LINE_BYTES_MAX = 8 * 1024 * 1024;

/** Folder of the proxy under DATA, and the names in it. */
export const PROXY_FOLDER = 'proxy';
export const CONTROL_SOCKET = 'control.sock';

/** Exit code of a process that found another one serving the same DATA. */
export const EXIT_ALREADY_RUNNING = 3;

export type ControlCall =
  | { readonly op: 'hello' }
  | { readonly op: 'apply'; readonly table: ProxyTable }
  | { readonly op: 'drain'; readonly generation: string; readonly timeoutMs: number }
  | { readonly op: 'stats' }
  | { readonly op: 'stop'; readonly graceMs: number };

export type ControlRequest = ControlCall & { readonly id: number };

export type ControlAnswer =
  | { readonly id: number; readonly ok: true; readonly value?: unknown }
  | { readonly id: number; readonly ok: false; readonly error: Failure };

export interface Hello {
  readonly protocol: number;
  readonly pid: number;
  /** Version of the table that is served; 0 when there was none yet. */
  readonly version: number;
}

/** Cuts a byte stream into lines. The returned function takes chunks, and answers false once a line is too long. */
export function lineReader(onLine: (line: string) => void): (chunk: Buffer) => boolean {
  let parts: Buffer[] = [];
  let size = 0;
  return (chunk) => {
    let rest = chunk;
    for (;;) {
      const end = rest.indexOf(10);
      const head = end === -1 ? rest : rest.subarray(0, end);
      size += head.length;
      if (size > LINE_BYTES_MAX) return false;
      parts.push(head);
      if (end === -1) return true;
      const line = Buffer.concat(parts).toString('utf8');
      parts = [];
      size = 0;
      rest = rest.subarray(end + 1);
      if (line !== '') onLine(line);
    }
  };
}
