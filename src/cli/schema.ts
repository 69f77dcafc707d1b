/** `mainstay schema`: the JSON Schemas of the documents, for editors and other tools. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { failure } from '../base/result.ts';
import { examples, fail, jsonOption } from './command.ts';
import type { JsonFlag, Register } from './command.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';
import { packageRoot } from './package-root.ts';

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('schema')
    .argument('[kind]', 'a kind of document, e.g. App; all of them when left out')
    .description('print the JSON Schema (2020-12) of a kind of document');
  examples(jsonOption(command), 'mainstay schema App > app.schema.json').action(
    act((kind: string | undefined, flags: JsonFlag) => print(kind, flags, context)),
  );
};

function print(kind: string | undefined, flags: JsonFlag, context: Context): ExitCode {
  const folder = join(packageRoot(), 'schemas');
  const kinds = readdirSync(folder)
    .filter((name) => name.endsWith('.schema.json'))
    .map((name) => name.replace('.schema.json', ''));
  if (kind === undefined) {
    const all = kinds.map(
      (name) => JSON.parse(readFileSync(join(folder, `${name}.schema.json`), 'utf8')) as unknown,
    );
    const any = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'A Mainstay document',
      oneOf: all,
    };
    context.out(`${JSON.stringify(any, null, 2)}\n`);
    return EXIT.done;
  }
  const wanted = kind.toLowerCase();
  if (!kinds.includes(wanted)) {
    const known = kinds.map((name) => name.charAt(0).toUpperCase() + name.slice(1)).join(', ');
    return fail(context, failure('usage', `no schema for kind ${kind}; the kinds are ${known}`), flags);
  }
  context.out(readFileSync(join(folder, `${wanted}.schema.json`), 'utf8'));
  return EXIT.done;
}
