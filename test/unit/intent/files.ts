/** Source files and small documents for the tests of intent. */
import { type CompiledIntent, compileIntent } from '../../../src/intent/compile.ts';
import type { Diagnostic } from '../../../src/intent/diagnostic.ts';
import type { SourceFile } from '../../../src/intent/file.ts';
import { parseFile } from '../../../src/intent/parse.ts';

export const SYSTEM = 'kind: System\n';

export function file(path: string, content: string | Uint8Array, mode = '100644'): SourceFile {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return { path, oid: `${path}-${bytes.length}`, mode, content: bytes };
}

/** A valid App with lines added to it. */
export function app(name: string, extra = '', port = 3000): string {
  return `kind: App\nname: ${name}\nsource: {repo: .}\nstart_command: node server.js\nport: ${port}\n${extra}`;
}

/** Compiles files given as path to text, beside a System. */
export function compile(files: Readonly<Record<string, string>>): CompiledIntent {
  const all = { 'mainstay.yaml': SYSTEM, ...files };
  return compileIntent(
    'c0ffee',
    Object.entries(all).map(([path, text]) => file(path, text)),
  );
}

/** `line:column+length code` of each diagnostic. */
export function places(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ line, column, length, code }) => `${line}:${column}+${length} ${code}`);
}

export function parsed(text: string | Uint8Array): readonly Diagnostic[] {
  return parseFile(file('apps/web.yaml', text)).diagnostics;
}
