/** Turns offsets in a text into what an editor shows: line and column from 1, counted in Unicode characters. */
import type { DiagnosticCode } from './codes.ts';
import type { Diagnostic, Severity } from './diagnostic.ts';

/** Something wrong between two offsets of a text (UTF-16 units, as JavaScript counts). */
export interface Problem {
  readonly severity: Severity;
  /** From codes.ts, or the code of a failure in the world outside. */
  readonly code: string;
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

/** More of a line than this is not kept: a diagnostic must stay small whatever the file holds. */
const MAX_SOURCE = 500;

/** An error between two offsets. */
export function problem(
  code: DiagnosticCode,
  message: string,
  range: { readonly start: number; readonly end: number },
): Problem {
  return { severity: 'error', code, message, start: range.start, end: range.end };
}

/** Places problems in their file. A range over several lines is cut at the end of its first. */
export function toDiagnostics(file: string, text: string, problems: readonly Problem[]): Diagnostic[] {
  if (problems.length === 0) return [];
  const starts = lineStarts(text);
  return problems.map((each) => toDiagnostic(file, text, starts, each));
}

function toDiagnostic(file: string, text: string, starts: readonly number[], each: Problem): Diagnostic {
  const offset = Math.min(Math.max(each.start, 0), text.length);
  const line = lineAt(starts, offset);
  const start = starts[line - 1] ?? 0;
  const full = text.slice(start, (starts[line] ?? text.length + 1) - 1).replace(/\r$/, '');
  const column = Math.min(offset - start, full.length);
  const end = Math.min(Math.max(each.end - start, column + 1), full.length);
  const source = full.length <= MAX_SOURCE ? full : full.slice(0, MAX_SOURCE);
  return {
    severity: each.severity,
    code: each.code,
    message: each.message,
    file,
    line,
    column: characters(full.slice(0, column)) + 1,
    length: Math.max(1, characters(full.slice(column, end))),
    source: column <= source.length ? source : null,
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
