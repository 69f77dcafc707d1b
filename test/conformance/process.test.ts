import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProcessBackend } from '../../backends/process/backend.ts';
import { createProcessTable } from '../../src/adapters/system/process-table.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { instanceId } from '../../src/model/ids.ts';
import type { Backend, Log } from '../../src/ports.ts';
import { describeBackend } from './backend.ts';
import type { Program } from './backend.ts';

const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

const COMMANDS: Readonly<Record<Program, string | readonly string[]>> = {
  runs: 'sleep 120',
  'ignores-sigterm': 'trap "" TERM; echo ready; while :; do sleep 0.05; done',
  exits: ['sh', '-c', 'exit 3'],
  'exits-later': 'sleep 0.5; exit 4',
  talks: 'echo one; echo two >&2; echo three; exec sleep 120',
  repeats: ['tail', '-n', '+1', '-s', '0.05', '-f', 'said'],
  'shows-environment': ['env'],
  'cannot-start': ['./no-such-program'],
};

describeBackend('process', {
  async create() {
    const dataDir = await mkdtemp(join(tmpdir(), 'mainstay-process-'));
    await writeFile(join(dataDir, 'said'), '');
    const owner = dataDir;
    const environment = { PATH: process.env['PATH'], HOME: dataDir, TZ: 'UTC', SECRET_OF_THE_DAEMON: 'no' };
    const open = (): Backend =>
      createProcessBackend({
        dataDir,
        owner,
        clock: systemClock,
        processes: createProcessTable(),
        log: quiet,
        environment,
      });
    let backend = open();
    const first = backend;
    let count = 0;
    return {
      backend: first,
      async reopen() {
        await backend.close();
        backend = open();
        return backend;
      },
      spec(program, more) {
        const slot = `slot-${String(++count).padStart(8, '0')}`;
        return {
          id: instanceId('web', slot, 1),
          app: 'web',
          slot,
          digest: 'a digest',
          commit: 'a commit',
          dir: dataDir,
          command: COMMANDS[program],
          env: {},
          port: 4000 + count,
          internalPort: null,
          ...more,
        };
      },
      say: (_spec, text) => appendFile(join(dataDir, 'said'), `${text}\n`),
      inherited: { PATH: process.env['PATH'] ?? '', HOME: dataDir, TZ: 'UTC', MAINSTAY_OWNER: owner },
      async cleanup() {
        const left = await backend.observe();
        if (left.ok) await Promise.all(left.value.map((one) => backend.remove(one.id, 0)));
        await backend.close();
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  },
});
