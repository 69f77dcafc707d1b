/** Diagnostics as workflow commands, which GitHub shows beside the lines of a pull request. */
import type { Diagnostic } from './diagnostic.ts';

/** One command a line; '' when there are none. */
export function renderGithub(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((each) => `${command(each)}\n`).join('');
}

function command({ severity, code, message, file, line, column, length }: Diagnostic): string {
  const properties = {
    file,
    line: String(line),
    endLine: String(line),
    col: String(column),
    endColumn: String(column + length),
    title: code,
  };
  const written = Object.entries(properties).map(([key, value]) => `${key}=${property(value)}`);
  return `::${severity} ${written.join(',')}::${data(message)}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
