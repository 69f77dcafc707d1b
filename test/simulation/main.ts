/** `npm run simulate -- --seeds N [--from K]`, `--seed K --trace`: prints every failing seed with its rule. */
import { parseArgs } from 'node:util';
import { RULES } from './rules.ts';
import { runSeed, type Outcome } from './run.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'stop-after': { type: 'string', default: '10' },
  },
});

function report(seed: number, { violation, steps, lives }: Outcome): void {
  if (violation === null) return;
  const { rule, what, step } = violation;
  console.log(`seed ${seed}: ${rule} at step ${step} of ${steps} (${lives} lives)`);
  console.log(`  rule: ${RULES[rule] ?? rule}`);
  console.log(`  ${what}`);
  console.log(`  replay: npm run simulate -- --seed ${seed} --trace`);
}

async function main(): Promise<number> {
  if (values.seed !== undefined) {
    const seed = Number(values.seed);
    const outcome = await runSeed(seed, values.trace ? (line) => console.log(line) : null);
    report(seed, outcome);
    return outcome.violation === null ? 0 : 1;
  }
  const from = Number(values.from);
  const most = Number(values.seeds);
  const began = performance.now();
  let failed = 0;
  let steps = 0;
  let lives = 0;
  let ran = 0;
  for (let seed = from; seed < from + most && failed < Number(values['stop-after']); seed++) {
    const outcome = await runSeed(seed);
    ran += 1;
    steps += outcome.steps;
    lives += outcome.lives;
    if (outcome.violation !== null) failed += 1;
    report(seed, outcome);
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${ran} seeds from ${from}, ${lives} lives, ${steps} steps in ${seconds.toFixed(1)} s: ${failed === 0 ? 'no rule broken' : `${failed} failed`}`,
  );
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
