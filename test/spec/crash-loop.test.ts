/** Restarts back off with growing gaps, a crash loop ends in a hold with an alert, and the public port stays open. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openGate } from '../support/gate.ts';
import { killNow } from '../support/processes.ts';
import { appEvents, openStage } from '../support/stage.ts';
import { eventually, stays } from '../support/wait.ts';

describe.concurrent('crashes', () => {
  test('A10, D27 a crash loop: restart gaps grow, after more than 5 in 10 minutes it is held and one alert goes out', async () => {
    await using gate = await openGate();
    await using stage = await openStage({
      version: null,
      system: { alerts: [{ webhook: gate.url('alert'), events: ['crash-loop'] }] },
    });
    const events = join(stage.mainstay.root, 'events');
    const looping = await stage.source.commit({ text: 'loop', crash_after_ms: 150 });
    await stage.pushApp({ source: { repo: stage.source.dir, ref: looping }, env: { EVENTS_FILE: events } });
    await eventually('it is held', async () => (await stage.status()).state === 'held', 100_000);
    const starts = (await appEvents(events)).filter((one) => one.what === 'start').map((one) => one.at);
    const crashes = (await appEvents(events)).filter((one) => one.what === 'crash').map((one) => one.at);
    const gaps = starts.slice(1).map((at, n) => at - (crashes[n] ?? 0));
    // The first start is the deploy; five restarts follow it.
    expect(starts).toHaveLength(6);
    expect(gaps[0]).toBeGreaterThanOrEqual(450);
    expect(gaps[0]).toBeLessThan(2_500);
    for (const n of [2, 3, 4])
      expect(gaps[n] ?? 0, `gaps ${gaps.join(' ')}`).toBeGreaterThan((gaps[n - 2] ?? 0) * 1.2);
    await gate.reached('alert');
    await stays('no further start', async () => (await stage.units()).length === 0, 3_000);
    expect(gate.count('alert')).toBe(1);
    expect(gate.bodies('alert')[0]).toContain('web');
    expect(gate.bodies('alert')[0]).toContain('crash-loop');
    expect((await stage.status()).reason).toMatch(/crash|restart/i);
    const answer = await stage.get();
    expect(answer.status).toBe(503);
  }, 120_000);

  test('D30 the public port answers 503 with Retry-After while a crashed app comes back, and is never refused', async () => {
    await using stage = await openStage();
    const [unit] = await stage.units();
    killNow(unit?.pid ?? 0);
    const statuses = new Set<number>();
    let retryAfter: string | undefined;
    await eventually('the app is back', async () => {
      const answer = await stage.get('/pid');
      statuses.add(answer.status);
      if (answer.status === 503) retryAfter = answer.headers['retry-after'];
      return answer.status === 200 && answer.text !== String(unit?.pid);
    });
    expect(statuses).toEqual(new Set([200, 503]));
    expect(retryAfter).toMatch(/^\d+$/);
    expect((await stage.status()).healthy).toBe(true);
    expect(await stage.text()).toBe('A');
  }, 60_000);

  test('D30 with on_failure replace a fresh slot takes the place of the crashed one', async () => {
    await using stage = await openStage({ app: { on_failure: 'replace' } });
    const [unit] = await stage.units();
    killNow(unit?.pid ?? 0);
    await eventually('the app is back', async () => {
      const answer = await stage.get('/pid');
      return answer.status === 200 && answer.text !== String(unit?.pid);
    });
    expect(await stage.status()).toMatchObject({ live_commit: stage.first, healthy: true });
  }, 60_000);

  test('D27 an app that may not be restarted is held with one alert', async () => {
    await using gate = await openGate();
    await using stage = await openStage({
      app: { on_failure: 'hold' },
      system: {
        alerts: [{ webhook: gate.url('held'), events: ['unit-held'] }, { webhook: gate.url('all') }],
      },
    });
    const [unit] = await stage.units();
    killNow(unit?.pid ?? 0);
    await gate.reached('held');
    await gate.reached('all');
    expect(gate.bodies('held')[0]).toContain('unit-held');
    await stays('no second alert', () => gate.count('held') === 1, 1_500);
  }, 60_000);

  test('D27 consecutive failures and a health timeout alert once each', async () => {
    await using gate = await openGate();
    await using stage = await openStage({
      app: { health_timeout_ms: 400 },
      system: {
        alerts: [
          { webhook: gate.url('timeout'), events: ['health-timeout'] },
          { webhook: gate.url('failing'), events: ['deploy-failing'] },
        ],
      },
    });
    const bad = await stage.source.commit({ text: 'bad', health: 503 });
    for (let n = 0; n < 4; n++) {
      await stage.pushApp({ source: { repo: stage.source.dir, ref: bad }, env: { N: String(n) } });
    }
    await gate.reached('timeout');
    await gate.reached('failing');
    await stays('each once', () => gate.count('failing') === 1 && gate.count('timeout') === 1, 1_000);
    expect(gate.bodies('timeout')[0]).toContain('health-timeout');
    expect(gate.bodies('failing')[0]).toContain('deploy-failing');
    // Over and begun again: the condition is reported anew.
    await stage.pushApp({ env: { N: 'good' } });
    await stage.pushApp({ source: { repo: stage.source.dir, ref: bad }, env: { N: 'again' } });
    await gate.reached('timeout', 2);
  }, 60_000);
});
