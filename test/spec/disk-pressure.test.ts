/** D27: a data folder that fills up raises one alert and ends nothing. Needs a small file system of its own. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openGate } from '../support/gate.ts';
import { isAlive } from '../support/processes.ts';
import { run } from '../support/run-command.ts';
import { openStage, type Stage } from '../support/stage.ts';
import { eventually, stays } from '../support/wait.ts';

const LIMIT = 180_000;
const SIZE_MIB = 160;
const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };

describe('disk pressure', () => {
  test(
    'D27 a full data folder is alerted once, ends nothing, and is got over',
    async (context) => {
      await using gate = await openGate();
      await using ends = new AsyncDisposableStack();
      let stage: Stage | undefined;
      let mounted = '';
      let refusal = '';
      ends.defer(async () => stage?.[Symbol.asyncDispose]());
      ends.defer(async () => {
        if (mounted !== '') await run('umount', ['-l', mounted], { env });
      });
      stage = await openStage({
        system: { alerts: [{ webhook: gate.url('disk'), events: ['disk-pressure'] }] },
        before: async (_root, data) => {
          await mkdir(data);
          const options = `size=${SIZE_MIB}m,mode=700`;
          const ran = await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', data], { env });
          if (ran.code === 0) mounted = data;
          else refusal = ran.stderr;
        },
      });
      if (mounted === '') return context.skip(`no small file system can be mounted here: ${refusal}`);
      const { mainstay } = stage;
      expect(gate.count('disk')).toBe(0);
      const filler = join(mounted, 'filler');
      await expect(writeFile(filler, Buffer.alloc((SIZE_MIB + 32) * 1024 ** 2))).rejects.toThrow(/ENOSPC/);
      await gate.reached('disk', 1, 60_000);
      await stays('one alert', () => gate.count('disk') === 1, 2_000);
      expect(gate.bodies('disk')[0]).toContain('disk-pressure');
      expect(await stage.text()).toBe('A');
      // Ended by itself while nothing can be written: the daemon stays, and repairs it when there is room.
      await stage.get('/crash');
      await eventually('the process is gone', async () => (await stage.units()).length === 0);
      await stays('the daemon lives', () => isAlive(mainstay.pid()), 3_000);
      await rm(filler);
      await stage.serves('A', 60_000);
      const push = await stage.pushApp({ env: { X: '1' } });
      expect(push.code, push.stderr).toBe(0);
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );
});
