/** `mainstay validate`: everything that is wrong in the documents, each with its place. Needs no daemon. */
import { resolve } from 'node:path';
import { Option } from 'commander';
import { compileIntent } from '../intent/compile.ts';
import type { Diagnostic } from '../intent/diagnostic.ts';
import { hasErrors } from '../intent/diagnostic.ts';
import { examples, fail, jsonOption } from './command.ts';
import type { JsonFlag, Register } from './command.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';
import { readRef, readTree } from './intent-files.ts';

interface Flags extends JsonFlag {
  readonly ref?: string;
  readonly format: 'text' | 'json' | 'github' | 'sarif';
}

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('validate')
    .argument('[dir]', 'folder with the documents', '.')
    .description('check intent documents and show every error with its place')
    .option('--ref <ref>', 'check a commit or branch instead of the files as they lie there')
    .addOption(
      new Option('--format <format>', 'how to print it')
        .choices(['text', 'json', 'github', 'sarif'])
        .default('text'),
    );
  examples(
    jsonOption(command),
    'mainstay validate my-intent',
    'mainstay validate --ref HEAD --format github',
  ).action(act((dir: string, flags: Flags) => validate(dir, flags, context)));
};

async function validate(dir: string, flags: Flags, context: Context): Promise<ExitCode> {
  const folder = resolve(context.cwd, dir);
  const files = flags.ref === undefined ? await readTree(folder) : await readRef(folder, flags.ref);
  if (!files.ok) return fail(context, files.error, flags);
  const { diagnostics, parsed } = compileIntent(flags.ref ?? 'work tree', files.value);
  const documents = parsed.reduce((count, file) => count + file.documents.length, 0);
  context.out(render(diagnostics, documents, flags));
  return hasErrors(diagnostics) ? EXIT.notSo : EXIT.done;
}

function render(diagnostics: readonly Diagnostic[], documents: number, flags: Flags): string {
  return `${JSON.stringify({ diagnostics, documents, flags })}\n`;
}
