/**
 * The figures for people: on the terminal, and as one section a bench in docs/benchmarks.md. A section stands between
 * two comments and is replaced as a whole; what people wrote around them stays.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench, BenchResult, Figure } from './figures.ts';
import { CHECKOUT } from './program.ts';

const PAGE = join(CHECKOUT, 'docs', 'benchmarks.md');

export function printResult(bench: Bench, { figures, profile = [] }: BenchResult): void {
  console.log(`\n${bench.name}`);
  for (const one of figures) {
    console.log(`${one.met ? 'met   ' : 'MISSED'} ${one.id}  ${one.what}`);
    console.log(`         measured  ${one.measured}`);
    console.log(`         beside    ${one.beside}`);
    console.log(`         target    ${one.target}`);
  }
  for (const line of profile) console.log(`         - ${line}`);
}

/** Replaces the bench's section; appends it when the page has none. */
export async function writeSection(bench: Bench, result: BenchResult): Promise<void> {
  const [begin, end] = [`<!-- bench ${bench.name} -->`, `<!-- end ${bench.name} -->`];
  const section = [begin, ...(await lines(bench, result)), end].join('\n');
  const page = await readFile(PAGE, 'utf8');
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  const next =
    from === -1 || to === -1
      ? `${page.trimEnd()}\n\n${section}\n`
      : page.slice(0, from) + section + page.slice(to + end.length);
  await writeFile(PAGE, next);
}

async function lines(bench: Bench, { figures, profile = [] }: BenchResult): Promise<readonly string[]> {
  return [
    `### ${bench.name} (${bench.ids.join(', ')})`,
    '',
    bench.method,
    '',
    '| | what | measured | beside it | target | |',
    '|---|---|---|---|---|---|',
    ...figures.map(row),
    '',
    ...(profile.length === 0 ? [] : ['Where the time goes:', '', ...profile.map((line) => `- ${line}`), '']),
    `\`npm run bench ${bench.name}\`, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, ${await machine()}.`,
  ];
}

function row(figure: Figure): string {
  const { id, what, measured, beside, target, met } = figure;
  return `| ${[id, what, measured, beside, target, met ? 'met' : '**missed**'].join(' | ')} |`;
}

/** What the figures depend on; nothing that names the machine. */
async function machine(): Promise<string> {
  const processors = cpus();
  const { stdout } = await promisify(execFile)('git', ['--version']);
  return [
    `${processors.length} x ${processors[0]?.model ?? 'unknown'}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `kernel ${release().replace(/[^0-9.].*$/, '')}`,
    `Node ${process.versions.node}`,
    stdout.trim(),
    // Benches load the machine themselves; well above the number of processors means that others did, too.
    `load average ${(loadavg()[0] ?? 0).toFixed(1)} at the end`,
  ].join(', ');
}
