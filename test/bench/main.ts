/**
 * `npm run bench [NAME|ID …] [-- --sources]`: runs the benches one after the other and prints their figures; each
 * writes its section of docs/benchmarks.md, the others stay. Measures the built package unless --sources is given
 * (then nothing is written). BENCH_ROUNDS=1 shows quickly whether they work. What runs in this process runs under the flags
 * that the launcher gives the daemon (see the script in package.json).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './figures.ts';
import { printResult, writeSection } from './page.ts';
import { buildPackage, SOURCES } from './program.ts';

const words = process.argv.slice(2);
const sources = words.includes('--sources');
const asked = words.filter((word) => word !== '--sources');
const scratch = await mkdtemp(join(tmpdir(), 'mst-bench-'));
process.env['XDG_CACHE_HOME'] = join(scratch, 'cache');
try {
  // Before the benches are imported: the test kit reads it when it is loaded.
  process.env['MAINSTAY_BIN'] = sources ? SOURCES : await buildPackage(scratch);
  const { BENCHES } = await import('./benches.ts');
  const chosen = BENCHES.filter((bench) => asked.length === 0 || asked.some((word) => isCalled(bench, word)));
  const unknown = asked.filter((word) => !BENCHES.some((bench) => isCalled(bench, word)));
  if (unknown.length > 0) {
    const names = BENCHES.map(({ name, ids }) => `${name} (${ids.join(', ')})`);
    console.error(`no such bench: ${unknown.join(', ')}; there are ${names.join(', ')}`);
    process.exitCode = 2;
  } else {
    for (const bench of chosen) {
      const result = await bench.run();
      printResult(bench, result);
      if (!sources && process.env['BENCH_ROUNDS'] === undefined) await writeSection(bench, result);
    }
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}

function isCalled(bench: Bench, word: string): boolean {
  return bench.name === word || bench.ids.includes(word.toUpperCase());
}
