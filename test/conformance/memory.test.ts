import { createMemoryBackend } from '../../backends/memory/backend.ts';
import { createMemoryWorld } from '../../backends/memory/world.ts';
import type { MemoryBehaviour } from '../../backends/memory/world.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { instanceId } from '../../src/model/ids.ts';
import { describeBackend } from './backend.ts';
import type { Program } from './backend.ts';

const BEHAVIOURS: Readonly<Record<Program, MemoryBehaviour>> = {
  runs: {},
  'ignores-sigterm': { output: ['ready'], stopMs: Infinity },
  exits: { exitAfterMs: 0, exitCode: 3 },
  'exits-later': { exitAfterMs: 500, exitCode: 4 },
  talks: { output: ['one', 'two', 'three'] },
  repeats: {},
  'shows-environment': { exitAfterMs: 0 },
  'cannot-start': { start: 'fail' },
};

describeBackend('memory', {
  create() {
    const world = createMemoryWorld({
      clock: systemClock,
      owner: 'the owner',
      faults: {
        behave(spec, environment) {
          const program = spec.command as Program;
          if (program !== 'shows-environment') return BEHAVIOURS[program];
          const output = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
          return { ...BEHAVIOURS[program], output };
        },
      },
    });
    let backend = createMemoryBackend({ world });
    let count = 0;
    return Promise.resolve({
      backend,
      async reopen() {
        await backend.close();
        backend = createMemoryBackend({ world });
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
          dir: '/nowhere',
          command: program,
          env: {},
          port: 4000 + count,
          internalPort: null,
          ...more,
        };
      },
      say(spec, text) {
        world.write(spec.id, text);
        return Promise.resolve();
      },
      inherited: { MAINSTAY_OWNER: 'the owner' },
      cleanup: () => backend.close(),
    });
  },
});
