/** P9: many swaps under keep-alive load. No request may fail, and no request may wait long. */
import { startLoad } from '../support/load.ts';
import { openStage } from '../support/stage.ts';
import { ms, type Bench } from './figures.ts';

const SWAPS = 100;

export const swaps: Bench = {
  name: 'swaps',
  ids: ['P9'],
  run: async () => {
    await using stage = await openStage();
    const b = await stage.source.commit('B');
    const still = startLoad(stage.port, { connections: 16, pauseMs: 0 });
    const until = Date.now() + 5_000;
    while (Date.now() < until) await stage.status();
    const quiet = await still.stop();
    const load = startLoad(stage.port, { connections: 16, pauseMs: 0 });
    for (let n = 0; n < SWAPS; n++) {
      const answer = await stage.deploy(n % 2 === 0 ? b : stage.first);
      if (!answer.body.success) throw new Error(`swap ${n} failed: ${answer.body.reason}`);
    }
    const result = await load.stop();
    return [
      {
        id: 'P9',
        what: `${SWAPS} swaps under keep-alive load`,
        measured: `${result.failures.length} of ${result.requests} requests failed, longest ${ms(result.longestMs)}`,
        beside: `without swaps ${quiet.failures.length} of ${quiet.requests}, longest ${ms(quiet.longestMs)}`,
        target: '0 failed, longest stall <= 50 ms',
        met: result.failures.length === 0 && result.longestMs <= Math.max(50, quiet.longestMs),
      },
    ];
  },
};
