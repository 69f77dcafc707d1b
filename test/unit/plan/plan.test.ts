import { describe, expect, test } from 'vitest';
import type { Action, Blocked, Plan } from '../../../src/model/plan.ts';
import { assess } from '../../../src/plan/assess.ts';
import type { Desired } from '../../../src/plan/desired.ts';
import { desiredApp } from '../../../src/plan/desired.ts';
import { makePlan } from '../../../src/plan/plan.ts';
import { appOf, versionOf } from '../../properties/worlds.ts';
import { NEW } from './world.ts';

function desired(after: Readonly<Record<string, readonly string[]>>): Desired {
  const apps = Object.entries(after).map(([name, others]) =>
    desiredApp(appOf(name, { after: [...others] }), versionOf(name, NEW), null),
  );
  const system = { name: 's', backend: 'process' as const, guard: { max_stop: 0.5 }, alerts: [] };
  return { commit: 'i', system, apps: new Map(apps.map((app) => [app.name, app])) };
}

describe('order', () => {
  test('what others come after goes first, then by name', () => {
    const plan = makePlan(desired({ a: ['c'], b: [], c: ['d'], d: [] }), { apps: new Map() }, 0);

    expect(plan.actions.map(({ unit, after }) => [unit, after])).toEqual([
      ['b', []],
      ['d', []],
      ['c', ['d']],
      ['a', ['c']],
    ]);
  });

  test('room is made first: what is gone stops before anything starts', () => {
    const gone = { name: 'z', links: { live: null, previous: null }, instances: [] };
    const links = { live: { slot: 's', commit: NEW, digest: 'd', promotedAt: 1 }, previous: null };
    const more = {
      previousIntact: false,
      liveIntact: true,
      retiring: new Set<string>(),
      work: null,
      crashes: null,
    };
    const rest = { hold: null, liveHold: null, restartAsked: false, listenFailure: null };
    const apps = new Map([['z', { ...gone, ...more, ...rest, links }]]);

    expect(
      makePlan(desired({ a: [] }), { apps }, 0).actions.map(({ do: what, unit }) => `${what} ${unit}`),
    ).toEqual(['stop z', 'start a']);
  });

  test('a cycle, which validation refuses, is no endless loop', () => {
    expect(makePlan(desired({ a: ['b'], b: ['a'] }), { apps: new Map() }, 0).actions).toHaveLength(2);
  });
});

describe('assess', () => {
  const action = (unit: string, after: readonly string[] = []): Action => ({
    do: 'start',
    unit,
    to: NEW,
    digest: 'd',
    because: 'b',
    after,
  });
  const block = (unit: string, code: string): Blocked => ({
    unit,
    code,
    reason: `${code} it is`,
    until: null,
  });
  const plan = (more: Partial<Plan>): Plan => ({
    commit: 'i',
    actions: [],
    unchanged: [],
    under_way: [],
    blocked: [],
    counts: { start: 0, stop: 0, swap: 0, unchanged: 0 },
    next_pass_at: null,
    ...more,
  });

  test.each<[string, Plan, string, string | null]>([
    ['nothing is left to do', plan({ unchanged: ['a'] }), 'converged', null],
    ['something is to be done', plan({ actions: [action('a')] }), 'converging', null],
    ['something is on its way', plan({ under_way: ['a'] }), 'converging', null],
    ['one backs off', plan({ blocked: [block('a', 'backing-off')] }), 'converging', null],
    ['one is suspended', plan({ blocked: [block('a', 'suspended')] }), 'converged', null],
    ['one failed', plan({ blocked: [block('a', 'health-timeout')] }), 'failed', 'a: health-timeout it is'],
    ['one kept ending', plan({ blocked: [block('a', 'crash-loop')] }), 'held', 'a: crash-loop it is'],
    [
      'one failed and one kept ending',
      plan({ blocked: [block('a', 'crash-loop'), block('b', 'setup-failed')] }),
      'failed',
      'a: crash-loop it is; b: setup-failed it is',
    ],
    [
      'one failed while another is on its way',
      plan({ blocked: [block('a', 'setup-failed')], under_way: ['b'] }),
      'converging',
      null,
    ],
    [
      'what comes after a failed one',
      plan({ blocked: [block('a', 'setup-failed')], actions: [action('b', ['a']), action('c', ['b'])] }),
      'failed',
      'a: setup-failed it is',
    ],
    [
      'what comes after one that backs off',
      plan({ blocked: [block('a', 'backing-off')], actions: [action('b', ['a'])] }),
      'converging',
      null,
    ],
    [
      'what comes after a suspended one',
      plan({ blocked: [block('a', 'suspended')], actions: [action('b', ['a'])] }),
      'held',
      'b: waits for a; what is suspended has to be resumed first',
    ],
  ])('%s', (_, made, state, reason) => {
    expect(assess(made)).toEqual({ state, reason });
  });
});
