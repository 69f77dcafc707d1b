/** `mainstay validate`: everything that is wrong in the documents, each with its place. Needs no daemon. */
import { resolve } from 'node:path';
import { Option } from 'commander';
import { assertNever } from '../base/result.ts';
import { compileIntent } from '../intent/compile.ts';
import type { Diagnostic } from '../intent/diagnostic.ts';
import { hasErrors } from '../intent/diagnostic.ts';
import { renderGithub } from '../intent/render-github.ts';
import { renderSarif } from '../intent/render-sarif.ts';
import { renderJson, renderText } from '../intent/render.ts';
import { counted } from '../intent/words.ts';
import { examples, fail, jsonOption } from './command.ts';
import type { JsonFlag, Register } from './command.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';
import { readRef, readTree } from './intent-files.ts';
import { paint } from './paint.ts';

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
  context.out(render(diagnostics, flags, context.color));
  if (flags.format === 'text' && flags.json !== true) context.out(summary(diagnostics, documents, context));
  return hasErrors(diagnostics) ? EXIT.notSo : EXIT.done;
}

function render(diagnostics: readonly Diagnostic[], flags: Flags, color: boolean): string {
  const format = flags.json === true ? 'json' : flags.format;
  switch (format) {
    case 'text':
      return renderText(diagnostics, { color });
    case 'json':
      return renderJson(diagnostics);
    case 'github':
      return renderGithub(diagnostics);
    case 'sarif':
      return renderSarif(diagnostics);
    default:
      return assertNever(format);
  }
}

function summary(diagnostics: readonly Diagnostic[], documents: number, context: Context): string {
  const { green, red } = paint(context);
  const errors = diagnostics.filter((one) => one.severity === 'error').length;
  const warnings = diagnostics.length - errors;
  const also = warnings === 0 ? '' : `, ${counted(warnings, 'warning')}`;
  if (errors > 0) return `${red('invalid:')} ${counted(errors, 'error')}${also}\n`;
  return `${green('valid:')} ${counted(documents, 'document')}${also}\n`;
}
