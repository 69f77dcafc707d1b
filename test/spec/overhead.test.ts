/** D33: what Mainstay adds to a deploy and to a request. Medians beside the bare thing in the same run. */
import { Agent, get } from 'node:http';
import { describe, expect, test } from 'vitest';
import { bootBare } from '../support/boot-bare.ts';
import { openStage } from '../support/stage.ts';

describe('overhead', () => {
  test('D33 a deploy adds at most 300 ms to the boot of the app', async () => {
    await using stage = await openStage();
    const versions = [await stage.source.commit('B'), stage.first];
    const bare: number[] = [];
    const deploys: number[] = [];
    for (let n = 0; n < 7; n++) {
      bare.push(await bootBare(stage.source.dir));
      const began = performance.now();
      expect((await stage.deploy(versions[n % 2] ?? '')).body.success).toBe(true);
      deploys.push(performance.now() - began);
    }
    // The quickest of each: the others say what else this machine was doing.
    const added = Math.min(...deploys) - Math.min(...bare);
    expect(
      added,
      `deploys ${deploys.map(Math.round).join(' ')}, bare ${bare.map(Math.round).join(' ')}`,
    ).toBeLessThan(300);
  }, 60_000);

  test('D33 the proxy adds at most 0.3 ms to the median request', async () => {
    await using stage = await openStage();
    const direct = Number((await stage.get('/env')).json<Record<string, string>>()['PORT']);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const differences: number[] = [];
    for (let round = 0; round < 7; round++) {
      const [alone, through] = [await medianOf(direct, agent), await medianOf(stage.port, agent)];
      differences.push(through - alone);
    }
    agent.destroy();
    // The quietest rounds say what the proxy costs; the others say what else ran on this machine.
    expect(Math.min(...differences), differences.map((one) => one.toFixed(3)).join(' ')).toBeLessThan(0.3);
  }, 60_000);
});

async function medianOf(port: number, agent: Agent): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 300; n++) {
    const began = performance.now();
    await new Promise<void>((resolve, reject) => {
      get({ host: '127.0.0.1', port, path: '/', agent }, (answer) => {
        answer.resume();
        answer.once('end', resolve);
      }).once('error', reject);
    });
    times.push(performance.now() - began);
  }
  return median(times);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
