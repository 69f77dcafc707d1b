/** The documentation keeps up: links lead somewhere, docs/cli.md is the command tree, every event type is explained. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { Command } from 'commander';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { build } from '../../../src/cli/program.ts';
import { fakeContext } from './fake-context.ts';

const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'backends/README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

test.each(PAGES)('links of %s lead somewhere', (page) => {
  const text = readFileSync(page, 'utf8').replaceAll(/```[\s\S]*?```/g, '');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  const broken = links.filter((link) => !/^[a-z]+:/.test(link)).filter((link) => !leads(page, link));
  expect(broken).toEqual([]);
});

function leads(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(target)) return false;
  if (anchor === undefined || !target.endsWith('.md')) return true;
  const headings = readFileSync(target, 'utf8').match(/^#+ .*$/gm) ?? [];
  return (
    headings.some((heading) => slug(heading) === anchor) ||
    readFileSync(target, 'utf8').includes(`id="${anchor}"`)
  );
}

function slug(heading: string): string {
  return heading
    .replace(/^#+ /, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

test('docs/cli.md is the command tree (make it anew with: npx vitest run test/unit/cli/docs -u)', async () => {
  const program = await build(COMMANDS, fakeContext({ columns: 200 }), { code: 0 });
  const lines = [
    '# Command line',
    '',
    'Made from the commands themselves. `mainstay COMMAND --help` says the same with examples.',
    '',
    'Every command takes `--json`. Commands that ask the daemon take `--url`, `--token-file` and `--data`; without them they use',
    '`MAINSTAY_URL` or the daemon of the default data folder (else `http://127.0.0.1:7070`), and `MAINSTAY_TOKEN`, else the token in the data folder, only',
    'ever sent to this machine. Colour is used only on a terminal, and never with `NO_COLOR`.',
    '',
    '| exit code | means |',
    '|---|---|',
    '| 0 | done |',
    '| 1 | what was asked for is not so: invalid, failed, not converged |',
    '| 2 | wrong usage, or the daemon was not reached |',
    '| 3 | only `plan --detailed-exitcode`: there is work |',
    '',
    ...program.commands.flatMap((command) => sections(command, 'mainstay')),
  ];
  await expect(`${lines.join('\n').trimEnd()}\n`).toMatchFileSnapshot('../../../docs/cli.md');
});

const SHARED = new Set(['--json', '--url', '--token-file', '--data']);

function sections(command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((child) => sections(child, name));
  const args = command.registeredArguments
    .map((one) => (one.required ? ` <${one.name()}>` : ` [${one.name()}]`))
    .join('');
  const own = command.options.filter((option) => name === 'mainstay serve' || !SHARED.has(option.long ?? ''));
  const rows = [
    ...command.registeredArguments.map((one) => [`${one.name()}`, one.description]),
    ...own.map((option) => [
      option.flags,
      withDefault(option.description, option.defaultValue as string | undefined),
    ]),
  ];
  const table = rows.map(
    ([flag = '', text = '']) => `| \`${flag.replaceAll('|', '\\|')}\` | ${text.replaceAll('|', '\\|')} |`,
  );
  return [
    `## \`${name}${args}\``,
    '',
    `${command.description().charAt(0).toUpperCase()}${command.description().slice(1)}.`,
    '',
    ...(table.length === 0 ? [] : ['| | |', '|---|---|', ...table, '']),
  ];
}

function withDefault(text: string, value: string | undefined): string {
  return value === undefined || text.includes('default') ? text : `${text} (default: ${value})`;
}

test('every event type is explained in docs/operations.md, and no other', () => {
  const page = readFileSync('docs/operations.md', 'utf8').split('### Events')[1]?.split('\n## ')[0] ?? '';
  const explained = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1] ?? '');
  expect(explained.toSorted()).toEqual(eventTypes());
});

/** From the places that emit: a literal `type`, or the third argument of the `say` of a rollout. */
function eventTypes(): readonly string[] {
  const types = new Set(['commit-converged', 'commit-failed', 'commit-held', 'commit-invalid']);
  const files = readdirSync('src/control', { recursive: true, encoding: 'utf8' });
  for (const name of files.filter((found) => found.endsWith('.ts'))) {
    const text = readFileSync(join('src/control', name), 'utf8');
    if (!/events\.emit|\bsay\(/.test(text)) continue;
    for (const [, type] of text.matchAll(/\btype: '([a-z-]+)'/g)) types.add(type ?? '');
    for (const [, type] of text.matchAll(/\bsay\(\s*ctx,\s*\w+,\s*'([a-z-]+)'/g)) types.add(type ?? '');
  }
  return [...types].filter((type) => type !== 'gauge' && type !== 'counter').toSorted();
}
