/** `npm run bench [NAME …]`: runs the benches one after the other, prints the figures, writes docs/benchmarks.md. */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Figure } from './figures.ts';
import { idle } from './idle.ts';
import { largeRepository } from './large-repository.ts';
import { pushToTraffic } from './push-to-traffic.ts';
import { swaps } from './swaps.ts';

const BENCHES = [pushToTraffic, largeRepository, swaps, idle];

const asked = process.argv.slice(2);
const unknown = asked.filter(
  (name) => !BENCHES.some((bench) => bench.name === name || bench.ids.includes(name)),
);
if (unknown.length > 0) {
  console.error(
    `no such bench: ${unknown.join(', ')}; there are ${BENCHES.map((bench) => bench.name).join(', ')}`,
  );
  process.exit(2);
}
const chosen = BENCHES.filter(
  (bench) => asked.length === 0 || asked.includes(bench.name) || bench.ids.some((id) => asked.includes(id)),
);
const figures: Figure[] = [];
for (const bench of chosen) {
  for (const figure of await bench.run()) {
    figures.push(figure);
    console.log(
      `${figure.met ? 'met   ' : 'MISSED'} ${figure.id}  ${figure.what}: ${figure.measured} (${figure.beside}; target ${figure.target})`,
    );
  }
}
if (asked.length === 0)
  await writeFile(fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url)), page(figures));

function page(all: readonly Figure[]): string {
  const processors = cpus();
  const rows = all.map(
    (one) =>
      `| ${[one.id, one.what, one.measured, one.beside, one.target, one.met ? 'met' : 'missed'].join(' | ')} |`,
  );
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench`. Times depend on the machine, so each figure stands beside a bare minimum of the same run.',
    '',
    `Machine: ${processors.length} x ${processors[0]?.model ?? 'unknown'}, Node ${process.versions.node}.`,
    '',
    '| | what | measured | beside it | target | |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
