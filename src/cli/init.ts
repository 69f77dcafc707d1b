/** `mainstay init`: a new intent repository with a commented example and a first commit on main. */
import { cp, mkdir, readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { failure } from '../base/result.ts';
import { examples, fail, jsonOption, printJson } from './command.ts';
import type { JsonFlag, Register } from './command.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';
import { firstCommit } from './first-commit.ts';
import { packageRoot } from './package-root.ts';
import { columns } from './paint.ts';

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('init')
    .argument('<dir>', 'a folder that is empty or not there yet')
    .description('make a new intent repository with a commented example');
  examples(jsonOption(command), 'mainstay init my-intent').action(
    act((dir: string, flags: JsonFlag) => init(dir, flags, context)),
  );
};

async function init(dir: string, flags: JsonFlag, context: Context): Promise<ExitCode> {
  const target = resolve(context.cwd, dir);
  const found = await readdir(target).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error && found.code !== 'ENOENT') {
    return fail(
      context,
      failure('usage', `${target} can't be used (${found.code}): name a new or empty folder`),
      flags,
    );
  }
  if (Array.isArray(found) && found.length > 0) {
    return fail(
      context,
      failure('not-empty', `${target} is not empty (${found[0]} is there): name a new or empty folder`),
      flags,
    );
  }
  await mkdir(target, { recursive: true });
  await cp(join(packageRoot(), 'intent-example'), target, { recursive: true });
  const commit = await firstCommit(target, 'intent: start from the example', context.env);
  if (!commit.ok) return fail(context, commit.error, flags);
  if (flags.json === true) printJson(context, { dir: target, branch: 'main', commit: commit.value });
  else context.out(nextSteps(relative(context.cwd, target) || '.', target));
  return EXIT.done;
}

function nextSteps(shown: string, target: string): string {
  const place = shown.startsWith('..') ? target : shown;
  const steps = [
    [`mainstay validate ${place}`, 'check the documents'],
    ['mainstay serve', 'start the daemon in another terminal; it prints its push URL'],
    [`git -C ${place} push URL main`, 'deploy the example app, and watch it converge'],
  ];
  return [
    `intent repository made in ${place}, on branch main`,
    '',
    'next:',
    columns(steps.map(([command = '', what = '']) => [`  ${command}`, what])),
    '',
    `or let the daemon follow the folder itself, each commit at once: mainstay serve --intent ${place}`,
    '',
  ].join('\n');
}
