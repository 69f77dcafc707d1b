/** What is wrong in a document, and where. Rendering is pure; every error is reported, not only the first. */

export type Severity = 'error' | 'warning';

export interface Diagnostic {
  readonly severity: Severity;
  /** Kebab-case, stable, listed in codes.ts and docs/intent.md. */
  readonly code: string;
  readonly message: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters as an editor counts them. */
  readonly column: number;
  /** Characters to underline, at least 1. */
  readonly length: number;
  /** The source line, when there is one. */
  readonly source: string | null;
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}
