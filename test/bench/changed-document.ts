/** P3: one document of many changes: from the commit to its plan, in process. */
import { parse } from 'yaml';
import { makePlan } from '../../src/plan/plan.ts';
import { observed } from '../../src/control/loop/observe.ts';
import { git } from '../support/git.ts';
import { median, ms, rounds, spread, timed, type Bench } from './figures.ts';
import { openLargeWorld, SOURCE } from './large-world.ts';
import { commitFiles, manyDocuments, pathOf } from './many-documents.ts';

const DOCUMENTS = 10_000;

export const changedDocument: Bench = {
  name: 'changed-document',
  ids: ['P3'],
  method:
    'The real repository, loader and planner in one process over 10,000 live apps. Each round commits a change of one document ' +
    'and measures from reading the branch to the whole plan; then what stock git takes to name the change and print the file, ' +
    'and the yaml library to parse it.',
  run: async () => {
    await using world = await openLargeWorld(DOCUMENTS);
    const { ctx, loader, versions, dir } = world;
    const { repository, clock } = ctx.ports;
    const files = manyDocuments(DOCUMENTS, SOURCE);
    const [whole, loads, plans, native]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (let n = 0; n < rounds(50) + 3; n++) {
      const changed = `${files.get(pathOf(n)) ?? ''}env: { ROUND: "${n}" }\n`;
      await commitFiles(dir, new Map([[pathOf(n), changed]]));
      const began = performance.now();
      const head = await repository.resolve(repository.watchedRef);
      const loaded = await loader.load(head ?? '');
      const loadedAt = performance.now();
      if (loaded.intent === null) throw new Error('the changed intent is not valid');
      const plan = makePlan(versions.desired(loaded.intent), observed(ctx), clock.now());
      const ended = performance.now();
      if (plan.counts.swap !== n + 1) throw new Error(`expected ${n + 1} swaps, got ${plan.counts.swap}`);
      const { took } = await timed(() => byHand(dir, pathOf(n)));
      // The first rounds warm the code up, as any pass before would.
      if (n < 3) continue;
      whole.push(ended - began);
      loads.push(loadedAt - began);
      plans.push(ended - loadedAt);
      native.push(took);
    }
    return {
      figures: [
        {
          id: 'P3',
          what: 'one changed document among 10,000: commit to plan',
          measured: spread(whole),
          beside: `git diff-tree, git cat-file and parsing one file p50 ${ms(median(native))}`,
          target: 'p50 <= 50 ms',
          met: median(whole) <= 50,
        },
      ],
      profile: [
        `${ms(median(loads))}: branch read, difference found, document read and parsed, all documents cross-checked`,
        `${ms(median(plans))}: 10,000 units compared and planned`,
      ],
    };
  },
};

async function byHand(dir: string, path: string): Promise<void> {
  await git(dir, ['diff-tree', '-r', '-z', '--raw', 'main~1', 'main']);
  parse(await git(dir, ['cat-file', 'blob', `main:${path}`]));
}
