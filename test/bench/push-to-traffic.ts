/** P1: from typing `git push` until the public port answers with the new version. */
import { bareBoot } from './bare-boot.ts';
import { median, ms, quantile, rounds, spread, type Bench } from './figures.ts';
import { answers, benchStage, plainRemote, push, type TimedPush } from './scene.ts';

export const pushToTraffic: Bench = {
  name: 'push-to-traffic',
  ids: ['P1'],
  method:
    'A small node app. Each round: a new version is committed, `git push` is run over HTTP and the public port is asked ' +
    'every 2 ms until it answers with that version; then the same app is booted by hand until it is healthy, and the same ' +
    'commit is pushed to a plain bare repository. "Added" is the round less the bare boot of the same round.',
  run: async () => {
    await using stage = await benchStage();
    const plain = await plainRemote(stage.mainstay.root, stage.intent.dir);
    const url = `http://127.0.0.1:${stage.port}/`;
    const [traffic, boots, plains, added]: [number[], number[], number[], number[]] = [[], [], [], []];
    const pushes: TimedPush[] = [];
    for (let n = 0; n < rounds(30); n++) {
      const ref = await stage.source.commit(`V${n}`);
      await stage.intent.write('apps/web.yaml', stage.doc({ source: { repo: stage.source.dir, ref } }));
      await stage.intent.commit();
      const began = performance.now();
      const pushing = push(stage.intent.dir, ['origin', 'HEAD:main']);
      const served = await answers(url, `V${n}`, began);
      pushes.push(await pushing);
      const boot = await bareBoot(stage.source.dir);
      traffic.push(served);
      boots.push(boot);
      added.push(served - boot);
      plains.push(await plain());
    }
    const [p50, p95] = [median(added), quantile(added, 0.95)];
    return {
      figures: [
        {
          id: 'P1',
          what: '`git push` typed to traffic on the new version',
          measured: `added: ${spread(added)} (whole: p50 ${ms(median(traffic))})`,
          beside: `boot p50 ${ms(median(boots))}, p95 ${ms(quantile(boots, 0.95))}; plain push p50 ${ms(median(plains))}`,
          target: 'added p50 <= 150 ms, p95 <= 300 ms',
          met: p50 <= 150 && p95 <= 300,
        },
      ],
      profile: milestones(pushes, median(traffic)),
    };
  },
};

const MILESTONES: readonly (readonly [RegExp, string])[] = [
  [/: plan: |^plan/, 'checked, the ref moved, planned'],
  [/checked out/, 'checked out'],
  [/: started /, 'process started'],
  [/: healthy /, 'healthy'],
  [/ is live in /, 'promoted and routed'],
  [/^converged/, 'verdict noted and printed'],
];

/** When each line came, as the pusher saw it. */
function milestones(pushes: readonly TimedPush[], traffic: number): readonly string[] {
  const found = MILESTONES.flatMap(([pattern, name]) => {
    const times = pushes.flatMap(({ said }) => said.find(({ text }) => pattern.test(text))?.after ?? []);
    return times.length === 0 ? [] : [`${ms(median(times))}: ${name}`];
  });
  return [
    ...found,
    `${ms(traffic)}: first answer of the new version`,
    `${ms(median(pushes.map((one) => one.took)))}: git ends`,
  ];
}
