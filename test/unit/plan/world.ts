/** One app as it is wanted and as it is, said in few words. */
import type { Hold } from '../../../src/model/hold.ts';
import type { App } from '../../../src/model/intent.ts';
import type { SlotRecord } from '../../../src/model/slot.ts';
import { desiredApp, type DesiredApp } from '../../../src/plan/desired.ts';
import { NOTHING, type ObservedApp, type SeenInstance } from '../../../src/plan/observed.ts';
import { appOf, versionOf } from '../../properties/worlds.ts';

export const OLD = '1'.repeat(40);
export const NEW = '2'.repeat(40);

export function wanted(commit: string, more: Partial<App> = {}): DesiredApp {
  return desiredApp(appOf('web', more), versionOf('web', commit), null);
}

export function record(slot: string, commit: string, more: Partial<App> = {}): SlotRecord {
  return { slot, commit, digest: wanted(commit, more).digest, promotedAt: 1 };
}

export function seen(more: Partial<ObservedApp> = {}): ObservedApp {
  return { name: 'web', ...NOTHING, ...more };
}

export function run(slot: string, n = 1, more: Partial<SeenInstance> = {}): SeenInstance {
  return {
    id: `web@${slot}.${n}`,
    app: 'web',
    slot,
    digest: 'any',
    commit: OLD,
    port: 20_000 + n,
    internalPort: null,
    state: 'running',
    startedAt: 5,
    handle: 'h',
    exit: null,
    healthy: true,
    ...more,
  };
}

export function hold(digest: string, more: Partial<Hold> = {}): Hold {
  return {
    unit: 'web',
    kind: 'version',
    digest,
    intent: 'i',
    code: 'health-timeout',
    reason: 'it was never healthy',
    at: 1,
    retryAt: null,
    failures: 1,
    ...more,
  };
}

/** `old` is live in slot-1 and runs. */
export function serving(more: Partial<ObservedApp> = {}): ObservedApp {
  return seen({
    links: { live: record('slot-1', OLD), previous: null },
    instances: [run('slot-1')],
    ...more,
  });
}
