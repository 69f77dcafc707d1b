/** P1 and P7: from typing `git push` to traffic on the new version, and back by a revert onto a warm slot. */
import { openStage } from '../support/stage.ts';
import { bootBare } from '../support/boot-bare.ts';
import { median, ms, quantile, timed, type Bench, type Figure } from './figures.ts';
import { plainRemote } from './plain-push.ts';

const ROUNDS = 15;

export const pushToTraffic: Bench = {
  name: 'push-to-traffic',
  ids: ['P1', 'P7'],
  run: async () => [await forward(), await back()],
};

async function forward(): Promise<Figure> {
  await using stage = await openStage();
  const plain = await plainRemote(stage.mainstay.root, stage.intent);
  const [whole, boots, pushes]: [number[], number[], number[]] = [[], [], []];
  for (let n = 0; n < ROUNDS; n++) {
    const ref = await stage.source.commit(`V${n}`);
    await stage.intent.write('apps/web.yaml', stage.doc({ source: { repo: stage.source.dir, ref } }));
    await stage.intent.commit();
    const { took, value } = await timed(async () => {
      const push = await stage.intent.startPush();
      await stage.serves(`V${n}`);
      return push;
    });
    await value.done;
    whole.push(took);
    boots.push(await bootBare(stage.source.dir));
    pushes.push(await plain.push());
  }
  const boot = median(boots);
  const [p50, p95] = [median(whole) - boot, quantile(whole, 0.95) - boot];
  return {
    id: 'P1',
    what: '`git push` typed to traffic on the new version, beyond the boot of the app',
    measured: `p50 ${ms(p50)}, p95 ${ms(p95)}`,
    beside: `boot ${ms(boot)}, plain push ${ms(median(pushes))}`,
    target: 'p50 <= 150 ms, p95 <= 300 ms',
    met: p50 <= 150 && p95 <= 300,
  };
}

async function back(): Promise<Figure> {
  await using stage = await openStage({ app: { keep_previous_warm: true } });
  const plain = await plainRemote(stage.mainstay.root, stage.intent);
  const b = await stage.source.commit('B');
  await stage.pushApp({ source: { repo: stage.source.dir, ref: b } });
  const [times, pushes]: [number[], number[]] = [[], []];
  for (let n = 0; n < ROUNDS; n++) {
    await stage.intent.git('revert', '--no-edit', 'HEAD');
    const { took, value } = await timed(async () => {
      const push = await stage.intent.startPush();
      await stage.serves(n % 2 === 0 ? 'A' : 'B');
      return push;
    });
    await value.done;
    times.push(took);
    pushes.push(await plain.push());
  }
  return {
    id: 'P7',
    what: '`git revert` pushed with a warm slot: the old version serves',
    measured: `p50 ${ms(median(times))}, p95 ${ms(quantile(times, 0.95))}`,
    beside: `plain push ${ms(median(pushes))}`,
    target: '<= 250 ms',
    met: median(times) <= 250,
  };
}
