/** Places a finding of the outside world (a source that cannot be reached) at the key of the App that it is about. */
import type { Diagnostic, Severity } from './diagnostic.ts';
import type { ParsedFile } from './file.ts';
import { toDiagnostics } from './lines.ts';
import { type Path, valueRange } from './locate.ts';
import { readYaml } from './read-yaml.ts';

export interface Finding {
  readonly app: string;
  /** Keys down to what is meant, e.g. `['source', 'ref']`. */
  readonly path: Path;
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
}

/** Null when no file holds that app. */
export function placeInApp(files: readonly ParsedFile[], finding: Finding): Diagnostic | null {
  for (const file of files) {
    for (const { document, index } of file.documents) {
      if (document.kind !== 'App' || document.value.name !== finding.app) continue;
      const doc = readYaml(file.text).documents[index]?.doc;
      const range = doc === undefined ? { start: 0, end: 1 } : valueRange(doc, finding.path);
      const { severity, code, message } = finding;
      return toDiagnostics(file.path, file.text, [{ severity, code, message, ...range }])[0] ?? null;
    }
  }
  return null;
}
