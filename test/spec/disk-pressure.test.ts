/** D27: a data folder that fills up raises one alert and ends nothing. Needs a small file system of its own. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openGate } from '../support/gate.ts';
import { run } from '../support/run-command.ts';
import { isAlive } from '../support/processes.ts';
import { openStage } from '../support/stage.ts';
import { eventually, stays } from '../support/wait.ts';

const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };

describe('disk pressure', () => {
  test('D27 a full data folder is alerted once, and what runs goes on', async (context) => {
    await using gate = await openGate();
    await using mounts = new AsyncDisposableStack();
    const mounted: { at: string | null; why: string } = { at: null, why: '' };
    const options = {
      system: { alerts: [{ webhook: gate.url('disk'), events: ['disk-pressure'] }] },
      before: async (_root: string, data: string) => {
        await mkdir(data);
        const ran = await run('mount', ['-t', 'tmpfs', '-o', 'size=160m,mode=700', 'tmpfs', data], { env });
        if (ran.code !== 0) mounted.why = ran.stderr;
        else mounted.at = data;
      },
    };
    const stage = await openStage(options);
    mounts.defer(async () => {
      if (mounted.at !== null) await run('umount', ['-l', mounted.at], { env });
      await stage[Symbol.asyncDispose]();
    });
    if (mounted.at === null) return context.skip(`no small file system can be mounted here: ${mounted.why}`);
    const filler = join(mounted.at, 'filler');
    const full = await writeFile(filler, Buffer.alloc(192 * 1024 * 1024)).catch(
      (error: NodeJS.ErrnoException) => error,
    );
    expect((full as NodeJS.ErrnoException).code).toBe('ENOSPC');
    await gate.reached('disk', 1, 60_000);
    await stays('one alert', () => gate.count('disk') === 1, 2_000);
    expect(gate.bodies('disk')[0]).toContain('disk-pressure');
    expect(await stage.text()).toBe('A');
    await rm(filler);
    const push = await stage.pushApp({ env: { X: '1' } });
    expect(push.code, push.stderr).toBe(0);
    expect(await stage.text()).toBe('A');
  }, 120_000);
});
