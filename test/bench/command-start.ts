/** P19: how long a command takes that only says something. */
import { ok } from '../support/run-command.ts';
import { median, ms, rounds, spread, timed, type Bench, type Figure } from './figures.ts';
import { benchStage } from './scene.ts';

export const commandStart: Bench = {
  name: 'command-start',
  ids: ['P19'],
  method: 'Rounds of the command and of `node -e 0`, one after the other; the daemon runs one app.',
  run: async () => {
    await using stage = await benchStage();
    const figures: Figure[] = [];
    for (const words of [['version'], ['status']]) {
      const [times, bare]: [number[], number[]] = [[], []];
      for (let n = 0; n < rounds(30) + 2; n++) {
        const { took, value } = await timed(() => stage.mainstay.cli(words));
        if (value.code !== 0) throw new Error(value.stderr);
        // The first two compile and keep what they compiled.
        if (n < 2) continue;
        times.push(took);
        bare.push((await timed(() => ok(process.execPath, ['-e', '0'], { env: {} }))).took);
      }
      figures.push({
        id: 'P19',
        what: `\`mainstay ${words.join(' ')}\``,
        measured: spread(times),
        beside: `node -e 0 p50 ${ms(median(bare))}`,
        target: 'p50 <= 150 ms',
        met: median(times) <= 150,
      });
    }
    return { figures };
  },
};
