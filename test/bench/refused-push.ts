/** P2: a push with one wrong document among many, refused at the door. */
import { join } from 'node:path';
import { createAppRepo } from '../support/app-repo.ts';
import { git } from '../support/git.ts';
import { median, ms, quantile, rounds, spread, type Bench, type Figure } from './figures.ts';
import { commitFiles, emptyRepository, manyDocuments, pathOf } from './many-documents.ts';
import { benchDaemon, plainRemote, push } from './scene.ts';

const LIMITS = [
  { count: 1_000, limitMs: 300 },
  { count: 10_000, limitMs: 1_000 },
];

export const refusedPush: Bench = {
  name: 'refused-push',
  ids: ['P2'],
  method:
    'An intent of suspended apps. Each round changes one document so that it has an unknown key, pushes that over HTTP and is ' +
    'refused; then pushes the same commit to a plain bare repository. The first line is the first `remote:` line on the terminal.',
  run: async () => {
    const figures: Figure[] = [];
    for (const { count, limitMs } of LIMITS) figures.push(await refusals(count, limitMs));
    return { figures };
  },
};

async function refusals(count: number, limitMs: number): Promise<Figure> {
  await using mainstay = await benchDaemon();
  const dir = join(mainstay.root, 'many');
  await emptyRepository(dir);
  const source = await createAppRepo(join(mainstay.root, 'src'));
  const files = manyDocuments(count, { repo: source.dir, ref: await source.commit('A') }, { suspend: true });
  const good = await commitFiles(dir, files);
  const first = await push(dir, [mainstay.intentUrl, 'main']);
  if (first.code !== 0) throw new Error(first.stderr.slice(0, 2_000));
  const plain = await plainRemote(mainstay.root, dir);
  const [times, firsts, plains]: [number[], number[], number[]] = [[], [], []];
  for (let n = 0; n < rounds(30); n++) {
    const text = files.get(pathOf(n)) ?? '';
    await commitFiles(dir, new Map([[pathOf(n), `${text}prot: ${n}\n`]]));
    const pushed = await push(dir, [mainstay.intentUrl, 'main']);
    if (pushed.code !== 1 || !pushed.stderr.includes('prot'))
      throw new Error(`not refused:\n${pushed.stderr}`);
    times.push(pushed.took);
    firsts.push(pushed.said[0]?.after ?? Number.NaN);
    plains.push(await plain());
    await git(dir, ['update-ref', 'refs/heads/main', good]);
  }
  return {
    id: 'P2',
    what: `a wrong push refused, ${count.toLocaleString('en')} documents`,
    measured: `${spread(times)}; first line p50 ${ms(median(firsts))}, p95 ${ms(quantile(firsts, 0.95))}`,
    beside: `plain push p50 ${ms(median(plains))}, p95 ${ms(quantile(plains, 0.95))}`,
    target: `p99 <= ${limitMs} ms, first line <= 100 ms`,
    met: quantile(times, 0.99) <= limitMs && median(firsts) <= 100,
  };
}
