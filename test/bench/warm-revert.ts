/** P7: `git revert` with the former version kept warm, until it serves again. */
import { median, ms, rounds, spread, type Bench } from './figures.ts';
import { answers, benchStage, plainRemote, push } from './scene.ts';

export const warmRevert: Bench = {
  name: 'warm-revert',
  ids: ['P7'],
  method:
    'An app with `keep_previous_warm`. Each round reverts the last commit, pushes that, and asks the public port every 2 ms ' +
    'until the other version answers; then pushes the same to a plain bare repository.',
  run: async () => {
    await using stage = await benchStage({ app: { keep_previous_warm: true } });
    const plain = await plainRemote(stage.mainstay.root, stage.intent.dir);
    const ref = await stage.source.commit('B');
    await stage.pushApp({ source: { repo: stage.source.dir, ref } });
    const url = `http://127.0.0.1:${stage.port}/`;
    const [times, plains]: [number[], number[]] = [[], []];
    for (let n = 0; n < rounds(30); n++) {
      await stage.intent.git('revert', '--no-edit', 'HEAD');
      const began = performance.now();
      const pushing = push(stage.intent.dir, ['origin', 'HEAD:main']);
      times.push(await answers(url, n % 2 === 0 ? 'A' : 'B', began));
      await pushing;
      plains.push(await plain());
    }
    return {
      figures: [
        {
          id: 'P7',
          what: '`git revert` pushed with a warm slot, to the old version serving',
          measured: spread(times),
          beside: `plain push p50 ${ms(median(plains))}`,
          target: 'p50 <= 250 ms',
          met: median(times) <= 250,
        },
      ],
    };
  },
};
