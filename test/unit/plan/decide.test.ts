import { describe, expect, test } from 'vitest';
import { failure } from '../../../src/base/result.ts';
import type { Decision } from '../../../src/plan/decide.ts';
import { decide, decideAbsent } from '../../../src/plan/decide.ts';
import { desiredApp, type DesiredApp } from '../../../src/plan/desired.ts';
import type { ObservedApp } from '../../../src/plan/observed.ts';
import { appOf } from '../../properties/worlds.ts';
import { hold, NEW, OLD, record, run, seen, serving, wanted } from './world.ts';

const NOW = 10_000;

/** `swap new`, `blocked suspended until 12`, `unchanged`. */
function said(decision: Decision): string {
  switch (decision.kind) {
    case 'act': {
      const { action } = decision;
      return action.do === 'swap' ? `swap ${action.via}` : action.do;
    }
    case 'blocked': {
      const { code, until } = decision.blocked;
      expect(decision.wakeAt).toBe(until);
      return `blocked ${code}${until === null ? '' : ` until ${until}`}`;
    }
    case 'under-way':
    case 'unchanged':
      return decision.kind;
  }
}

const both = { live: record('slot-1', OLD), previous: record('slot-2', NEW) };
const ended = { exits: [NOW - 5], attempts: 1, restartAt: NOW + 500 };
const over = { ...ended, restartAt: NOW - 1 };
const unreachable = failure('source-unreachable', 'it does not answer');
const unknown = (more: DesiredApp['failure'] = null): DesiredApp => desiredApp(appOf('web'), null, more);
const work = { do: 'swap' as const, digest: wanted(NEW).digest, intent: 'i', settled: false };

const CASES: readonly [string, DesiredApp, ObservedApp, string][] = [
  ['nothing is there', wanted(NEW), seen(), 'start'],
  ['it is as wanted', wanted(OLD), serving(), 'unchanged'],
  ['another version is wanted', wanted(NEW), serving(), 'swap new'],
  ['another configuration is wanted', wanted(OLD, { env: { A: '1' } }), serving(), 'swap new'],
  ['only its port changes', wanted(OLD, { port: 9 }), serving(), 'unchanged'],
  ['back to a kept slot', wanted(NEW), serving({ links: both, previousIntact: true }), 'swap previous'],
  ['back to a damaged slot', wanted(NEW), serving({ links: both }), 'swap new'],
  [
    'back to a slot that was kept warm',
    wanted(NEW, { keep_previous_warm: true }),
    serving({ links: both, previousIntact: true, instances: [run('slot-1'), run('slot-2')] }),
    'swap warm',
  ],
  [
    'a process of no slot in use',
    wanted(OLD),
    serving({ instances: [run('slot-1'), run('slot-9')] }),
    'prune',
  ],
  [
    'a former version runs on though nobody keeps it warm',
    wanted(OLD),
    serving({ links: both, instances: [run('slot-1'), run('slot-2')] }),
    'prune',
  ],
  [
    'a former version that is kept warm',
    wanted(OLD, { keep_previous_warm: true }),
    serving({ links: both, instances: [run('slot-1'), run('slot-2')] }),
    'unchanged',
  ],
  [
    'a stray on its way out',
    wanted(OLD),
    serving({ instances: [run('slot-1'), run('slot-9')], retiring: new Set(['web@slot-9.1']) }),
    'unchanged',
  ],
  ['suspended, nothing there', wanted(NEW, { suspend: true }), seen(), 'blocked suspended'],
  ['suspended, work in hand', wanted(NEW, { suspend: true }), serving({ work }), 'cancel'],
  ['the wanted version is on its way', wanted(NEW), serving({ work }), 'under-way'],
  ['another version is on its way', wanted(OLD), serving({ work }), 'cancel'],
  [
    'another version is past calling off',
    wanted(OLD),
    serving({ work: { ...work, settled: true } }),
    'under-way',
  ],
  [
    'a version that failed',
    wanted(NEW),
    serving({ hold: hold(wanted(NEW).digest) }),
    'blocked health-timeout',
  ],
  [
    'a version that may be tried again later',
    wanted(NEW),
    serving({ hold: hold(wanted(NEW).digest, { retryAt: NOW + 7 }) }),
    `blocked health-timeout until ${NOW + 7}`,
  ],
  [
    'a version that may be tried again now',
    wanted(NEW),
    serving({ hold: hold(wanted(NEW).digest, { retryAt: NOW }) }),
    'swap new',
  ],
  ['a hold on another version', wanted(NEW), serving({ hold: hold('other') }), 'swap new'],
  ['its process is gone', wanted(OLD), serving({ instances: [] }), 'restart'],
  [
    'it ended, and backs off',
    wanted(OLD),
    serving({ instances: [], crashes: ended }),
    `blocked backing-off until ${NOW + 500}`,
  ],
  ['it ended, and has backed off', wanted(OLD), serving({ instances: [], crashes: over }), 'restart'],
  [
    'it ended, and is to be replaced',
    wanted(OLD, { on_failure: 'replace' }),
    serving({ instances: [], crashes: over }),
    'swap new',
  ],
  ['its folder was damaged', wanted(OLD), serving({ instances: [], liveIntact: false }), 'swap new'],
  [
    'its folder was damaged, and its source does not answer',
    unknown(unreachable),
    serving({ instances: [], liveIntact: false }),
    'blocked slot-drifted',
  ],
  [
    'a restart was asked for, and its folder was damaged',
    wanted(OLD),
    serving({ restartAsked: true, liveIntact: false }),
    'unchanged',
  ],
  [
    'it kept ending',
    wanted(OLD),
    serving({
      instances: [],
      liveHold: hold(record('slot-1', OLD).digest, { kind: 'live', code: 'crash-loop' }),
    }),
    'blocked crash-loop',
  ],
  [
    'it kept ending, and another version is wanted',
    wanted(NEW),
    serving({ instances: [], liveHold: hold(record('slot-1', OLD).digest, { kind: 'live' }) }),
    'swap new',
  ],
  ['a restart was asked for', wanted(OLD), serving({ restartAsked: true }), 'restart'],
  [
    'one of two runs',
    wanted(OLD, { replicas: 2 }),
    serving({ links: { live: record('slot-1', OLD, { replicas: 2 }), previous: null } }),
    'restart',
  ],
  [
    'its port is taken, nothing live',
    wanted(NEW),
    seen({ listenFailure: 'taken' }),
    `blocked port-unavailable until ${NOW + 5000}`,
  ],
  [
    'its port is taken, and it runs',
    wanted(OLD),
    serving({ listenFailure: 'taken' }),
    'blocked port-unavailable',
  ],
  ['its source does not answer', unknown(unreachable), serving(), 'blocked source-unreachable'],
  [
    'its source does not answer, its process is gone',
    unknown(unreachable),
    serving({ instances: [] }),
    'restart',
  ],
  ['its source has not been asked yet', unknown(), serving(), 'under-way'],
];

describe('decide', () => {
  test.each(CASES)('%s', (_, desired, observed, decision) => {
    expect(said(decide(desired, observed, NOW))).toBe(decision);
  });
});

describe('decideAbsent', () => {
  test.each<[string, ObservedApp, string]>([
    ['nothing of it is there', seen(), 'unchanged'],
    ['it runs', serving(), 'stop'],
    ['only a process is left', seen({ instances: [run('slot-9')] }), 'stop'],
    ['it is being stopped', serving({ work: { ...work, do: 'stop', settled: true } }), 'under-way'],
    ['a version of it is on its way', serving({ work }), 'cancel'],
    ['a version of it is past calling off', serving({ work: { ...work, settled: true } }), 'under-way'],
  ])('%s', (_, observed, decision) => {
    expect(said(decideAbsent(observed))).toBe(decision);
  });
});
