/** Watches a world turn by turn and call by call for a broken rule. Reads the truth; tells no daemon anything. */
import type { MemoryRun } from '../../backends/memory/world.ts';
import type { Hold } from '../../src/model/hold.ts';
import type { InstanceSpec } from '../../src/model/instance.ts';
import type { App } from '../../src/model/intent.ts';
import type { MachineWatch } from '../fakes/machine.ts';
import { intentOf } from './intent.ts';
import type { Rule, Violation } from './rules.ts';
import type { Running, World } from './world.ts';

export interface Watch {
  /** The first rule that was broken; nothing goes on after it. */
  readonly broken: Violation | null;
  readonly violated: (rule: string, what: string) => void;
  readonly machineWatch: MachineWatch;
  born(daemon: Running): void;
  died(): void;
  /** Somebody asked for fresh processes of this app. */
  asked(app: string): void;
  /** Somebody asked for a version of this app, perhaps for one that has failed. */
  retryAsked(app: string): void;
  /** False when a rule is broken. */
  afterTurn(): boolean;
}

const FIRST_BACKOFF_MS = 1000;
/** From the decision until everyone has heard of it, whatever is slow. */
const PROMOTION_MS = 4000;
const WINDOW_MS = 600_000;
const MAX_EXITS = 5;

export function watchWorld(world: World): Watch {
  const { machine, tables, schedule } = world;
  let broken: Violation | null = null;
  let bornAt = 0;
  let active: {
    readonly commit: string;
    readonly apps: ReadonlyMap<string, App>;
  } | null = null;
  let served = new Map<string, readonly MemoryRun[]>();
  const asked = new Set<string>();
  const restarts = new Map<string, number[]>();
  /** By app and digest: the intent under which it was held for good. */
  const failed = new Map<string, string>();
  const holdsSeen = new WeakSet<Hold>();
  const lastExit = new Map<string, number>();
  /** Of those, the ones that a daemon was there to see: what ended before is started again at once. */
  const heardExit = new Map<string, number>();
  /** Their end has begun and is not called off: another slot took over, or intent did not name the app for a while. */
  const leaving = new Set<MemoryRun>();

  const violated = (rule: string, what: string): void => {
    if (broken !== null) return;
    broken = { rule: rule as Rule, what, step: world.steps };
    world.say(`*** ${rule}: ${what}`);
  };

  function lookAtActive(): void {
    const commit = tables.values.get('active-commit') ?? null;
    if (commit === null || commit === active?.commit) return;
    const files = world.history.commits.get(commit)?.files ?? new Map<string, string>();
    active = { commit, apps: intentOf(commit, files)?.apps ?? new Map() };
  }

  const isSuspended = (unit: string | undefined): boolean => active?.apps.get(unit ?? '')?.suspend === true;

  function forgive(app: string): void {
    for (const key of failed.keys()) if (key.startsWith(`${app} `)) failed.delete(key);
  }

  function lookAtHolds(): void {
    for (const hold of tables.holds.values()) {
      if (holdsSeen.has(hold)) continue;
      holdsSeen.add(hold);
      if (hold.kind === 'version' && hold.retryAt === null)
        failed.set(`${hold.unit} ${hold.digest}`, active?.commit ?? '');
    }
  }

  function lookAtRoutes(): void {
    for (const run of machine.running()) if (active?.apps.has(run.spec.app) === false) leaving.add(run);
    const now = new Map<string, readonly MemoryRun[]>();
    for (const route of world.plane.routes()) {
      const runs: MemoryRun[] = [];
      for (const target of route.generation?.targets ?? []) {
        const run = machine.lastOn.get(target.port);
        if (run === undefined) continue;
        if (run.spec.app !== route.app) violated('wrong-app', `${route.app} leads to ${run.spec.id}`);
        else if (run.exit !== null) {
          if (machine.ending.has(run.handle))
            violated('route-to-ended', `${route.app} leads to ${run.spec.id}`);
        } else if (machine.answered.has(run.handle)) runs.push(run);
        else violated('never-healthy', `${route.app} leads to ${run.spec.id}`);
      }
      now.set(route.app, runs);
    }
    for (const [app, before] of served) lookForGap(app, before, now.get(app) ?? []);
    served = now;
  }

  function lookForGap(app: string, before: readonly MemoryRun[], now: readonly MemoryRun[]): void {
    const live = world.folders.apps.get(app)?.record?.live ?? null;
    if (now.length > 0) {
      for (const run of before) if (run.spec.slot !== live?.slot && !now.includes(run)) leaving.add(run);
      return;
    }
    if (live === null || active?.apps.has(app) !== true) return;
    // The version that took over ended in the moment between its promotion and its first request.
    if ((lastExit.get(`${app} ${live.slot}`) ?? -1) >= live.promotedAt) return;
    const still = before.filter(
      (run) => run.exit === null && !machine.ending.has(run.handle) && !leaving.has(run),
    );
    if (still.length > 0)
      violated('gap', `${app} leads nowhere while ${still.map((run) => run.spec.id).join(', ')} serves`);
  }

  function lookAtSlots(): void {
    for (const [name, app] of world.folders.apps) {
      const { live, previous } = app.record ?? { live: null, previous: null };
      if (live !== null && live.slot === previous?.slot)
        violated('slot-record', `${name}: live and previous are both ${live.slot}`);
      for (const record of [live, previous]) {
        if (record !== null && app.slots.get(record.slot) !== record.commit)
          violated('slot-record', `${name}: ${record.slot} does not hold ${record.commit}`);
      }
    }
  }

  function lookAtPorts(): void {
    const ports = machine.running().map(({ spec }) => spec.port);
    if (new Set(ports).size !== ports.length) violated('port-shared', `ports in use: ${ports.join(', ')}`);
  }

  function restarted(spec: InstanceSpec): void {
    const now = schedule.now();
    const app = active?.apps.get(spec.app);
    const promoted = world.folders.apps.get(spec.app)?.record?.live?.promotedAt ?? 0;
    const slot = `${spec.app} ${spec.slot} ${promoted}`;
    const exit = heardExit.get(`${spec.app} ${spec.slot}`) ?? -Infinity;
    if (asked.has(spec.app) || app === undefined || app.replicas > 1) return;
    // An exit while its slot was still being made live is not told from one before.
    if (exit >= Math.max(bornAt, promoted + PROMOTION_MS) && now - exit < FIRST_BACKOFF_MS)
      violated('restart-too-soon', `${spec.id} is started ${now - exit} ms after the exit before`);
    const times = [...(restarts.get(slot) ?? []).filter((at) => at > now - WINDOW_MS), now];
    restarts.set(slot, times);
    if (times.length > MAX_EXITS + 1)
      violated('flap-brake', `${spec.id}: restart ${times.length} in ten minutes`);
  }

  const machineWatch: MachineWatch = {
    applying(spec) {
      const there = machine.world.runs.get(spec.id);
      if (there !== undefined && there.exit === null) violated('id-taken', spec.id);
      const hold = tables.holds.get(`${spec.app} version`);
      if (hold?.digest === spec.digest && (hold.retryAt === null || hold.retryAt > schedule.now()))
        violated('hold-ignored', `${spec.id} is started although held: ${hold.reason}`);
      if (active !== null && failed.get(`${spec.app} ${spec.digest}`) === active.commit)
        violated('failed-again', `${spec.id}: ${spec.digest} has failed before`);
      if (world.folders.apps.get(spec.app)?.record?.live?.slot === spec.slot) restarted(spec);
    },
    removing(run) {
      const { app, slot } = run.spec;
      const live = world.folders.apps.get(app)?.record?.live;
      if (live?.slot !== slot || active?.apps.has(app) !== true || asked.has(app) || leaving.has(run)) return;
      if (machine.answered.has(run.handle)) violated('healthy-live-ended', run.spec.id);
    },
  };

  machine.ended.add((run) => {
    if (machine.ending.has(run.handle)) return;
    lastExit.set(`${run.spec.app} ${run.spec.slot}`, schedule.now());
    if (world.daemon?.started === true) heardExit.set(`${run.spec.app} ${run.spec.slot}`, schedule.now());
  });

  return {
    get broken() {
      return broken;
    },
    violated,
    machineWatch,
    born(daemon) {
      bornAt = schedule.now();
      daemon.plane.events.subscribe((event) => {
        if (!daemon.life.alive) return;
        world.say(`[${daemon.life.number}] ${event.type} ${event.message}`);
        if (event.type === 'action-started' && event.commit === active?.commit && isSuspended(event.unit))
          violated('suspended-work', event.message);
        const verdict = /^commit-(converged|failed|held|invalid|superseded)$/.exec(event.type)?.[1];
        if (verdict !== undefined && tables.commits.get(event.commit ?? '')?.state !== verdict)
          violated('verdict-not-durable', `${event.commit} is said to be ${verdict}`);
      });
    },
    died() {
      asked.clear();
      restarts.clear();
    },
    asked(app) {
      asked.add(app);
      forgive(app);
    },
    retryAsked: (app) => forgive(app),
    afterTurn() {
      lookAtActive();
      lookAtHolds();
      lookAtRoutes();
      lookAtSlots();
      lookAtPorts();
      return broken === null;
    },
  };
}
