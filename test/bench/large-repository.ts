/** P2, P3 and P5: repositories of 1,000 and 10,000 documents. All but one app are suspended, so nothing of them runs. */
import { remoteLines } from '../support/git.ts';
import { openStage, type Stage } from '../support/stage.ts';
import { median, ms, quantile, timed, type Bench, type Figure } from './figures.ts';
import { plainRemote, type PlainRemote } from './plain-push.ts';

const ROUNDS = 9;

export const largeRepository: Bench = {
  name: 'large-repository',
  ids: ['P2', 'P3', 'P5'],
  run: async () => [...(await withDocuments(1_000)), ...(await withDocuments(10_000))],
};

async function withDocuments(count: number): Promise<readonly Figure[]> {
  await using stage = await openStage();
  for (let n = 0; n < count; n++) {
    const doc = stage.doc({ name: `app-${n}`, hosts: [`h${n}.example`], suspend: true });
    await stage.intent.write(`apps/g${n % 100}/app-${n}.yaml`, doc);
  }
  await stage.intent.commit('many');
  const push = await stage.intent.push();
  if (push.code !== 0) throw new Error(push.stderr.slice(0, 2_000));
  const plain = await plainRemote(stage.mainstay.root, stage.intent);
  return [
    await refusal(stage, plain, count),
    await change(stage, plain, count),
    await coldStart(stage, count),
  ];
}

async function refusal(stage: Stage, plain: PlainRemote, count: number): Promise<Figure> {
  const [times, firsts, pushes]: [number[], number[], number[]] = [[], [], []];
  for (let n = 0; n < ROUNDS; n++) {
    await stage.intent.write(`apps/g${n}/app-${n}.yaml`, stage.doc({ name: `app-${n}`, prot: n }));
    await stage.intent.commit('wrong');
    const began = Date.now();
    const push = await stage.intent.push();
    if (push.code !== 1) throw new Error('a wrong document was not refused');
    times.push(push.tookMs);
    firsts.push((remoteLines(push)[0]?.at ?? Number.NaN) - began);
    pushes.push(await plain.push());
    await stage.intent.git('reset', '-q', '--hard', 'HEAD~1');
  }
  const limit = count > 1_000 ? 1_000 : 300;
  return {
    id: 'P2',
    what: `a wrong push refused, ${count} documents`,
    measured: `p50 ${ms(median(times))}, worst ${ms(quantile(times, 0.99))}, first line ${ms(median(firsts))}`,
    beside: `plain push ${ms(median(pushes))}`,
    target: `p99 <= ${limit} ms, first line <= 100 ms`,
    met: quantile(times, 0.99) <= limit && median(firsts) <= 100,
  };
}

async function change(stage: Stage, plain: PlainRemote, count: number): Promise<Figure> {
  const [times, pushes]: [number[], number[]] = [[], []];
  for (let n = 0; n < ROUNDS; n++) {
    await stage.intent.write('apps/web.yaml', stage.doc({ drain_timeout_ms: 1_000 + n }));
    await stage.intent.commit('one');
    const { took } = await timed(() => stage.intent.push());
    times.push(took);
    pushes.push(await plain.push());
  }
  const added = median(times) - median(pushes);
  return {
    id: 'P3',
    what: `one changed document among ${count}: pushed, planned, converged, noted; beyond a plain push`,
    measured: `p50 ${ms(added)}`,
    beside: `plain push ${ms(median(pushes))}`,
    target: '<= 50 ms to the plan',
    met: added <= 50,
  };
}

async function coldStart(stage: Stage, count: number): Promise<Figure> {
  const times: number[] = [];
  for (let n = 0; n < 3; n++) {
    await stage.mainstay.kill9();
    const { took } = await timed(async () => {
      await stage.mainstay.start();
      while ((await stage.mainstay.api('GET', '/readyz')).status !== 200);
    });
    times.push(took);
  }
  const { took: read } = await timed(() =>
    stage.intent.git('archive', '--format=tar', '-o', '/dev/null', 'HEAD'),
  );
  return {
    id: 'P5',
    what: `daemon started to ready, ${count} documents`,
    measured: ms(median(times)),
    beside: `git reading the same ${ms(read)}`,
    target: '<= 1 s with a warm cache, <= 5 s without',
    met: median(times) <= 1_000,
  };
}
