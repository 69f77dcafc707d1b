/** Diagnostics as SARIF 2.1.0, which code scanners and editors read. */
import { DIAGNOSTIC_CODES } from './codes.ts';
import type { Diagnostic } from './diagnostic.ts';

/** One run with one rule a code. Columns are Unicode characters, as in the diagnostics. */
export function renderSarif(diagnostics: readonly Diagnostic[]): string {
  const codes = [...new Set(diagnostics.map(({ code }) => code))].toSorted();
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'mainstay',
            rules: codes.map((id) => ({ id, shortDescription: { text: meaning(id) } })),
          },
        },
        columnKind: 'unicodeCodePoints',
        results: diagnostics.map((each) => result(each, codes)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function result(diagnostic: Diagnostic, codes: readonly string[]): unknown {
  const { severity, code, message, file, line, column, length, source } = diagnostic;
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: severity,
    message: { text: message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: file.split('/').map(encodeURIComponent).join('/') },
          region: {
            startLine: line,
            startColumn: column,
            endColumn: column + length,
            ...(source === null ? {} : { snippet: { text: source } }),
          },
        },
      },
    ],
  };
}

function meaning(code: string): string {
  return (DIAGNOSTIC_CODES as Readonly<Record<string, string>>)[code] ?? code;
}
