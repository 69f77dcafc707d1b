/** What is there, as plain data: the planner's second input. */
import type { Hold } from '../model/hold.ts';
import type { ObservedInstance } from '../model/instance.ts';
import type { SlotLinks } from '../model/slot.ts';

export interface SeenInstance extends ObservedInstance {
  /** It has answered its health endpoint in this run. */
  readonly healthy: boolean;
}

/** Work that the executor has in hand for a unit. */
export interface Work {
  readonly do: 'start' | 'swap' | 'restart' | 'stop';
  /** Digest that it brings about; empty for a stop. */
  readonly digest: string;
  readonly intent: string;
  /** Past the point of no return: it can only be waited for. */
  readonly settled: boolean;
}

/** How often the live slot ended by itself of late. */
export interface CrashHistory {
  /** Times of the exits inside the flap window, oldest first. */
  readonly exits: readonly number[];
  /** Restarts since it was last stable. */
  readonly attempts: number;
  /** Not before. */
  readonly restartAt: number;
}

export interface ObservedApp {
  readonly name: string;
  readonly links: SlotLinks;
  /** The previous slot's folder is there as it was checked out. */
  readonly previousIntact: boolean;
  /** The same of the live slot's folder, as far as anyone has looked: without it nothing can be started there. */
  readonly liveIntact: boolean;
  readonly instances: readonly SeenInstance[];
  /** Instances that are being drained and ended already. */
  readonly retiring: ReadonlySet<string>;
  readonly work: Work | null;
  readonly crashes: CrashHistory | null;
  /** On a version that failed to become live. */
  readonly hold: Hold | null;
  /** On the live slot, which kept ending. */
  readonly liveHold: Hold | null;
  /** An operator asked for a restart that has not begun. */
  readonly restartAsked: boolean;
  /** Why its public or internal port cannot be listened on; null when it can. */
  readonly listenFailure: string | null;
}

export interface Observed {
  readonly apps: ReadonlyMap<string, ObservedApp>;
}

export const NOTHING: Omit<ObservedApp, 'name'> = {
  links: { live: null, previous: null },
  previousIntact: false,
  liveIntact: true,
  instances: [],
  retiring: new Set(),
  work: null,
  crashes: null,
  hold: null,
  liveHold: null,
  restartAsked: false,
  listenFailure: null,
};

/** Instances of the slot that run and are not on their way out. */
export function running(app: ObservedApp, slot: string): readonly SeenInstance[] {
  return app.instances.filter(
    (instance) => instance.slot === slot && instance.state === 'running' && !app.retiring.has(instance.id),
  );
}
