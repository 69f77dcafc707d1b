/**
 * What one daemon knows while it lives. Derived from git, the slots' records, the backend and the store at start;
 * losing it costs nothing but the time to look again. Only the parts in `src/control` change it, each its own fields.
 */
import type { Intent } from '../model/intent.ts';
import type { CommitRecord } from '../model/commit-record.ts';
import type { Drift } from '../model/control-plane.ts';
import type { InstanceExit, ObservedInstance } from '../model/instance.ts';
import type { Plan } from '../model/plan.ts';
import type { SlotLinks } from '../model/slot.ts';
import type { Failure } from '../base/result.ts';
import type { CrashHistory, Work } from '../plan/observed.ts';
import type { Desired } from '../plan/desired.ts';
import type { PendingDeploy } from './calls/pending-deploy.ts';

/** Work with the means to end it, and its end. */
export interface WorkInHand extends Work {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

export interface AppState {
  readonly name: string;
  links: SlotLinks;
  previousIntact: boolean;
  liveIntact: boolean;
  /** What the backend has of it, exited runs included until they have been taken note of. */
  instances: readonly ObservedInstance[];
  /** Started since the last complete observation began, so that it cannot hide them. */
  readonly started: Map<string, ObservedInstance>;
  work: WorkInHand | null;
  /** Folders may be left that could not be tidied away when it was asked for. */
  untidy: boolean;
  /** Instances on their way out, with what ends when they are gone. */
  readonly retiring: Map<string, Promise<void>>;
  /** Have answered their health endpoint in this run. */
  readonly healthy: Set<string>;
  /** Something listens on their INTERNAL_PORT. */
  readonly internal: Set<string>;
  crashes: CrashHistory | null;
  restartAsked: boolean;
  listenFailure: string | null;
  /** Id of the generations that the proxy serves for it now. */
  generations: readonly string[];
  lastDeployAt: number | null;
  lastFailure: FailedAttempt | null;
}

/** What the last attempt at another version came to, for whoever waits for it. */
export interface FailedAttempt {
  readonly commit: string;
  readonly failure: Failure;
}

export interface State {
  mode: 'normal' | 'draining';
  /** Why the last pass could not be made to its end; null when it could. */
  passFailure: string | null;
  /** Why the proxy does not serve the newest table; null when it does. */
  proxyFailure: string | null;
  /** Newest commit on the watched branch, whatever it is worth. */
  head: string | null;
  /** The intent that is kept true, and its record. */
  intent: Intent | null;
  record: CommitRecord | null;
  /** Since when the current commit is being converged. */
  convergingSince: number;
  desired: Desired | null;
  plan: Plan | null;
  readonly apps: Map<string, AppState>;
  /** See pending-deploy; null until it has been read. */
  pendingDeploys: ReadonlyMap<string, PendingDeploy> | null;
  /** Set while the backend cannot be observed. */
  backendFailure: Failure | null;
  /** Found other than as left; newest first, bounded. */
  drift: readonly Drift[];
  /** What ran when this daemon began has been taken over, see adopt. */
  adopted: boolean;
  ready: boolean;
  readonly startedAt: number;
}

export function newState(startedAt: number): State {
  return {
    mode: 'normal',
    passFailure: null,
    proxyFailure: null,
    head: null,
    intent: null,
    record: null,
    convergingSince: startedAt,
    desired: null,
    plan: null,
    apps: new Map(),
    pendingDeploys: null,
    backendFailure: null,
    drift: [],
    adopted: false,
    ready: false,
    startedAt,
  };
}

/** The app's state, made when it is first heard of. */
export function appState(state: State, name: string): AppState {
  const known = state.apps.get(name);
  if (known !== undefined) return known;
  const made: AppState = {
    name,
    links: { live: null, previous: null },
    previousIntact: false,
    liveIntact: true,
    instances: [],
    started: new Map(),
    work: null,
    untidy: false,
    retiring: new Map(),
    healthy: new Set(),
    internal: new Set(),
    crashes: null,
    restartAsked: false,
    listenFailure: null,
    generations: [],
    lastDeployAt: null,
    lastFailure: null,
  };
  state.apps.set(name, made);
  return made;
}

/** Instances of an app's slot that run and stay. */
export function instancesOf(app: AppState, slot: string): readonly ObservedInstance[] {
  return app.instances.filter((instance) => stays(app, slot, instance));
}

/** Those of them that have answered their health endpoint. */
export function healthyOf(app: AppState, slot: string): readonly ObservedInstance[] {
  return app.instances.filter((instance) => app.healthy.has(instance.id) && stays(app, slot, instance));
}

function stays(app: AppState, slot: string, instance: ObservedInstance): boolean {
  return instance.slot === slot && instance.state === 'running' && !app.retiring.has(instance.id);
}

/** It has answered its health endpoint; `internal`: on its INTERNAL_PORT. */
export function markHealthy(app: AppState, id: string, internal: boolean): void {
  app.healthy.add(id);
  if (internal) app.internal.add(id);
}

/** Instances that the executor has just started: they count from now on. */
export function addStarted(app: AppState, instances: readonly ObservedInstance[]): void {
  for (const instance of instances) app.started.set(instance.id, instance);
  setSeen(app, app.instances);
}

/** Instances that are gone. */
export function dropInstances(app: AppState, ids: readonly string[]): void {
  for (const id of ids) app.started.delete(id);
  app.instances = app.instances.filter((instance) => !ids.includes(instance.id));
}

/** A complete observation; what it does not know yet is kept beside it until it does. */
export function setSeen(app: AppState, seen: readonly ObservedInstance[]): void {
  if (app.started.size === 0) {
    app.instances = seen;
    return;
  }
  const ids = new Set(seen.map((instance) => instance.id));
  app.instances = [...seen, ...[...app.started.values()].filter((instance) => !ids.has(instance.id))];
}

/** How an exit reads in a sentence. */
export function describeExit(exit: InstanceExit | null): string {
  if (exit === null) return 'ended';
  if (exit.signal !== null) return `was ended by ${exit.signal}`;
  return exit.code === null ? 'ended' : `exited with code ${exit.code}`;
}
