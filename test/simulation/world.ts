/** Everything that outlives a daemon, and the daemons that live in it one after another. */
import type { ControlPlane } from '../../src/model/control-plane.ts';
import type { PushGate } from '../../src/model/push.ts';
import { createControl, type Control } from '../../src/control/control.ts';
import { createDataPlane, type DataPlane } from '../fakes/data-plane.ts';
import { createIntentHistory, type IntentHistory } from '../fakes/intent-repository.ts';
import { createMachine, type Machine } from '../fakes/machine.ts';
import { createNotes, type Notes } from '../fakes/note-writer.ts';
import { createFolders, type Folders } from '../fakes/slot-store.ts';
import { createSources, type Sources } from '../fakes/source-store.ts';
import { createTables, type Tables } from '../fakes/store.ts';
import { createChance, type Chance } from './chance.ts';
import { controlParts } from './daemon.ts';
import { watchWorld, type Watch } from './invariants.ts';
import { createLife, type Life } from './life.ts';
import { createSchedule, type Schedule } from './schedule.ts';

export interface WorldOptions {
  readonly seed: number;
  /** Steps at which the daemon dies, counted over all its lives from 1. */
  readonly crashAt: (step: number) => boolean;
  /** Steps take chance time and run in chance order, or none and in the order in which they came. */
  readonly orderly: boolean;
  /** Gets every line of the trace. */
  readonly trace: ((line: string) => void) | null;
}

/** A daemon that lives. */
export interface Running {
  readonly life: Life;
  readonly control: Control;
  readonly plane: ControlPlane;
  readonly gate: PushGate;
  started: boolean;
}

export interface World {
  readonly chance: Chance;
  readonly schedule: Schedule;
  readonly history: IntentHistory;
  readonly sources: Sources;
  readonly folders: Folders;
  readonly tables: Tables;
  readonly notes: Notes;
  readonly machine: Machine;
  readonly plane: DataPlane;
  readonly watch: Watch;
  /** Null between two lives. */
  readonly daemon: Running | null;
  /** Steps so far, over all lives. */
  readonly steps: number;
  readonly lives: number;
  say(line: string): void;
  /** Lets that much time pass; stops early when a rule was broken. */
  pass(ms: number): Promise<void>;
  /** Ends the daemon as by `kill -9`; the next one comes by itself. */
  crash(): void;
  /** No daemon dies from here on unless it is told to. */
  spare(): void;
  /** Ends the daemon for good. */
  end(): void;
}

const EPOCH = Date.UTC(2026, 0, 1);
/** Between a death and the next start. */
const RESTART_MS = { low: 5, high: 3000 };

export function createWorld(options: WorldOptions): World {
  const chance = createChance(options.seed);
  const order = createChance(options.seed + 1);
  const schedule = createSchedule(EPOCH, () => (options.orderly ? 0 : order.next()));
  const nature = createLife({ number: 0, schedule, fatal: () => false, delay: () => 0 });
  const say = (line: string): void => options.trace?.(`${schedule.now() - EPOCH} ${line}`);
  const sources = createSources();
  const machine = createMachine({ clock: nature.clock, chance, characters: sources.characters });
  let violated = (rule: string, what: string): void => say(`${rule}: ${what}`);
  const broken = (rule: string, what: string): void => violated(rule, what);
  const parts = {
    history: createIntentHistory(),
    sources,
    folders: createFolders(),
    tables: createTables(),
    notes: createNotes(),
    machine,
    plane: createDataPlane({ now: () => schedule.now(), machine, violated: broken }),
  };
  let daemon: Running | null = null;
  let steps = 0;
  let lives = 0;
  let spared = false;
  let over = false;

  function begin(): void {
    lives += 1;
    say(`--- life ${lives} begins`);
    const life = createLife({
      number: lives,
      schedule,
      fatal: (what) => {
        steps += 1;
        say(`[${lives}] ${steps} ${what}`);
        return !spared && options.crashAt(steps);
      },
      delay: (what) => (options.orderly ? 0 : latency(order, what)),
    });
    life.onDeath(() => {
      say(`--- life ${life.number} ends`);
      daemon = null;
      watch.died();
      if (over) return;
      const pause = options.orderly ? RESTART_MS.low : order.whole(RESTART_MS.low, RESTART_MS.high);
      schedule.at(schedule.now() + pause, begin);
    });
    const control = createControl(controlParts(world, life, broken));
    const running: Running = { life, control, plane: control.plane, gate: control.gate, started: false };
    daemon = running;
    watch.born(running);
    control.start().then(
      () => (running.started = true),
      (error: unknown) => life.alive && broken('start-failed', String(error)),
    );
  }

  const world: World = {
    ...parts,
    chance,
    schedule,
    say,
    get watch() {
      return watch;
    },
    get daemon() {
      return daemon;
    },
    get steps() {
      return steps;
    },
    get lives() {
      return lives;
    },
    pass: (ms) =>
      watch.broken === null
        ? schedule.runUntil(schedule.now() + ms, () => watch.afterTurn())
        : Promise.resolve(),
    crash: () => daemon?.life.crash(),
    spare: () => void (spared = true),
    end() {
      over = true;
      daemon?.life.crash();
    },
  };
  const watch = watchWorld(world);
  violated = watch.violated;
  schedule.at(EPOCH, begin);
  return world;
}

/** Most things are quick; now and then one is not. What health is judged by stays within its limits. */
function latency(order: Chance, what: string): number {
  if (what.startsWith('probe') || what.startsWith('backend event')) return order.whole(0, 2);
  const draw = order.next();
  if (draw < 0.85) return order.whole(0, 2);
  return draw < 0.98 ? order.whole(5, 60) : order.whole(200, 1200);
}
