/** What no plan may ever do, whatever is wanted and whatever is there. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Action } from '../../src/model/plan.ts';
import { makePlan } from '../../src/plan/plan.ts';
import type { Desired } from '../../src/plan/desired.ts';
import type { Observed } from '../../src/plan/observed.ts';
import { after } from './effect.ts';
import { anyWorld, NOW } from './worlds.ts';

const RUNS = { numRuns: 500 };

function always(holds: (world: { desired: Desired; observed: Observed }) => void): void {
  fc.assert(fc.property(anyWorld, holds), RUNS);
}

function starting(action: Action): boolean {
  return action.do === 'start' || action.do === 'swap' || action.do === 'restart';
}

describe('every plan', () => {
  test('is the same, byte for byte, for the same world, in whatever order it is told', () => {
    always(({ desired, observed }) => {
      const turned = { ...desired, apps: new Map([...desired.apps].reverse()) };
      const seen = { apps: new Map([...observed.apps].reverse()) };
      expect(JSON.stringify(makePlan(turned, seen, NOW))).toBe(
        JSON.stringify(makePlan(desired, observed, NOW)),
      );
    });
  });

  test('changes nothing that it is given', () => {
    always(({ desired, observed }) => {
      const before = JSON.stringify([[...desired.apps], [...observed.apps]]);
      makePlan(desired, observed, NOW);
      expect(JSON.stringify([[...desired.apps], [...observed.apps]])).toBe(before);
    });
  });

  test('says one thing of each unit, and something of each wanted one', () => {
    always(({ desired, observed }) => {
      const plan = makePlan(desired, observed, NOW);
      const said = [
        ...plan.actions.map((action) => action.unit),
        ...plan.blocked.map((block) => block.unit),
        ...plan.under_way,
        ...plan.unchanged,
      ];
      expect(new Set(said).size).toBe(said.length);
      for (const name of desired.apps.keys()) expect(said).toContain(name);
    });
  });

  test('stops nothing that is wanted', () => {
    always(({ desired, observed }) => {
      for (const action of makePlan(desired, observed, NOW).actions)
        if (action.do === 'stop') expect(desired.apps.has(action.unit)).toBe(false);
    });
  });

  test('prunes no process of the live slot, and none that is on its way out already', () => {
    always(({ desired, observed }) => {
      for (const action of makePlan(desired, observed, NOW).actions) {
        if (action.do !== 'prune') continue;
        const app = observed.apps.get(action.unit);
        const pruned = app?.instances.filter((one) => action.instances.includes(one.id)) ?? [];
        expect(pruned.length).toBe(action.instances.length);
        for (const one of pruned) {
          expect(one.slot).not.toBe(app?.links.live?.slot);
          expect(app?.retiring.has(one.id)).toBe(false);
        }
      }
    });
  });

  test('starts nothing of a suspended unit, and nothing of one that nobody wants', () => {
    always(({ desired, observed }) => {
      for (const action of makePlan(desired, observed, NOW).actions.filter(starting))
        expect(desired.apps.get(action.unit)?.app.suspend).toBe(false);
    });
  });

  test('tries no version on which a hold stands', () => {
    always(({ desired, observed }) => {
      for (const action of makePlan(desired, observed, NOW).actions) {
        if (action.do !== 'start' && action.do !== 'swap') continue;
        const { hold = null, links } = observed.apps.get(action.unit) ?? {};
        if (hold?.digest !== action.digest || links?.live?.digest === action.digest) continue;
        expect(hold.retryAt).not.toBeNull();
        expect(hold.retryAt).toBeLessThanOrEqual(NOW);
      }
    });
  });

  test('restarts nothing during its backoff or under a hold, unless an operator asked', () => {
    always(({ desired, observed }) => {
      for (const action of makePlan(desired, observed, NOW).actions) {
        const app = observed.apps.get(action.unit);
        const again =
          action.do === 'restart' || (action.do === 'swap' && app?.links.live?.digest === action.digest);
        if (!again || app === undefined || app.restartAsked) continue;
        expect(app.crashes?.restartAt ?? 0).toBeLessThanOrEqual(NOW);
        expect(app.liveHold?.digest).not.toBe(app.links.live?.digest);
      }
    });
  });

  test('begins nothing for a unit while work of it is in hand, and calls off none that is settled', () => {
    always(({ desired, observed }) => {
      for (const action of makePlan(desired, observed, NOW).actions) {
        const work = observed.apps.get(action.unit)?.work ?? null;
        if (work === null) expect(action.do).not.toBe('cancel');
        else expect([action.do, work.settled]).toEqual(['cancel', false]);
      }
    });
  });

  test('brings a unit up only after what it comes after, and in that order', () => {
    always(({ desired, observed }) => {
      const plan = makePlan(desired, observed, NOW);
      const settled = new Set(plan.unchanged);
      const place = (unit: string): number => plan.actions.findIndex((action) => action.unit === unit);
      for (const action of plan.actions) {
        if (action.do !== 'start' && action.do !== 'swap') continue;
        const before = desired.apps.get(action.unit)?.app.after ?? [];
        const missing = before.filter((unit) => desired.apps.has(unit) && !settled.has(unit));
        expect([...action.after].sort()).toEqual([...missing].sort());
        for (const unit of before) expect(place(unit)).toBeLessThan(place(action.unit));
      }
    });
  });

  test('names the time of its next pass whenever something waits for one', () => {
    always(({ desired, observed }) => {
      const plan = makePlan(desired, observed, NOW);
      const times = plan.blocked.flatMap((block) => (block.until === null ? [] : [block.until]));
      expect(plan.next_pass_at).toBe(times.length === 0 ? null : Math.min(...times));
    });
  });
});

describe('plans one after another', () => {
  const PASSES = 12;

  function settle({ desired, observed }: { desired: Desired; observed: Observed }): Observed {
    let world = observed;
    for (let pass = 0; pass < PASSES; pass++) world = after(makePlan(desired, world, NOW), desired, world);
    return world;
  }

  test('come to an end', () => {
    always((world) => {
      const plan = makePlan(world.desired, settle(world), NOW);
      const stuck = new Set([...plan.blocked.map((block) => block.unit), ...plan.under_way]);
      for (const action of plan.actions) {
        expect(action.after.length).toBeGreaterThan(0);
        stuck.add(action.unit);
      }
      for (const action of plan.actions) for (const unit of action.after) expect(stuck).toContain(unit);
    });
  });

  test('bring about what is wanted wherever nothing is in the way', () => {
    always((world) => {
      const settled = settle(world);
      const plan = makePlan(world.desired, settled, NOW);
      for (const name of plan.unchanged) {
        const wanted = world.desired.apps.get(name);
        expect(settled.apps.get(name)?.links.live?.digest).toBe(wanted?.digest);
      }
      if (plan.actions.length + plan.blocked.length + plan.under_way.length > 0) return;
      expect(plan.unchanged).toEqual([...world.desired.apps.keys()].sort());
      expect(plan.counts).toEqual({ start: 0, stop: 0, swap: 0, unchanged: plan.unchanged.length });
    });
  });
});
