/** One daemon's ports into the world, each call a step of its life. */
import type { ControlParts } from '../../src/control/control.ts';
import { ok } from '../../src/base/result.ts';
import { openIntentRepository } from '../fakes/intent-repository.ts';
import { openCommands } from '../fakes/machine.ts';
import { openNotes } from '../fakes/note-writer.ts';
import { openSlotStore } from '../fakes/slot-store.ts';
import { openSources } from '../fakes/source-store.ts';
import { openTables } from '../fakes/store.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

export const DAEMON = 'sim';

export function controlParts(
  world: World,
  life: Life,
  violated: (rule: string, what: string) => void,
): ControlParts {
  const { machine, sources, folders } = world;
  const { backend, probe, ports } = machine.open(life, world.watch.machineWatch);
  const inUse = (app: string): ReadonlySet<string> =>
    new Set(machine.running().flatMap(({ spec }) => (spec.app === app ? [spec.slot] : [])));
  const log = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    if (!life.alive) return;
    world.say(`[${life.number}] ${level}: ${message} ${JSON.stringify(fields ?? {})}`);
    if (level === 'error') violated('unexpected-error', `${message} ${JSON.stringify(fields ?? {})}`);
  };
  return {
    daemon: DAEMON,
    scrub: (text) => text,
    onShutdown: () => undefined,
    options: {
      publicHost: '127.0.0.1',
      version: '0.0.0',
      branch: 'main',
      presence: 'none',
      setupTimeoutMs: 60_000,
      followLimitMs: 60_000,
    },
    ports: {
      clock: life.clock,
      random: { next: () => world.chance.next(), hex: (bytes) => 'a'.repeat(bytes * 2) },
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      repository: openIntentRepository(world.history, life),
      notes: openNotes(world.notes, life),
      sourceNotes: () => null,
      sources: openSources(sources, life),
      slots: openSlotStore({ folders, life, inUse, violated }),
      commands: openCommands(
        sources.characters,
        (app, slot) => folders.apps.get(app)?.slots.get(slot) ?? null,
        life,
      ),
      environment: {
        resolve: async ({ env }) => {
          await life.step('environment');
          return ok(env);
        },
        forget: () => life.step('environment.forget'),
      },
      backend,
      ports,
      probe,
      proxy: world.plane.open(life),
      store: openTables(world.tables, life),
      webhook: {
        post: async () => {
          await life.step('webhook');
          return ok();
        },
      },
      disk: { free: () => Promise.resolve({ freeBytes: 1e12, totalBytes: 2e12 }) },
    },
  };
}
