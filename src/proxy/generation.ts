/**
 * One generation: its targets, its own upstream pool, and the count of what is in flight on it. Decides which target
 * is next and when it is idle; which generation a request belongs to is decided by the routes.
 */
import { Agent } from 'node:http';
import type { ProxyGeneration } from '../model/routes.ts';
import { createWaiters } from './waiters.ts';

/**
 * How long an unused upstream connection is kept. Below the idle timeout of every server we know of, and short enough
 * that a request that may not be repeated never meets a connection that has been idle for more than a second.
 */
const POOL_IDLE_MS = 1_000;
const FREE_SOCKETS_MAX = 256;
/** A target that refused a connection is asked last for this long. */
const REFUSED_MS = 1_000;

export interface Target {
  readonly host: string;
  readonly port: number;
  inFlight: number;
  refusedUntil: number;
}

export interface Generation {
  readonly id: string;
  readonly agent: Agent;
  /** False once no route leads here any more. */
  live: boolean;
  inFlight: number;
  requests: number;
  errors: number;
  /** A route leads here: takes the targets of the table; those that stay keep their count. */
  enlist(spec: ProxyGeneration): void;
  /** Counts a request from its acceptance; the function returned releases it, once. `cut` ends it by force. */
  accept(cut: () => void): () => void;
  /** The least busy target that was not tried yet, in turn among equals; null when all were tried. */
  pick(tried: ReadonlySet<Target>): Target | null;
  /** The target did not take a connection. */
  refused(target: Target): void;
  /** Resolves when nothing is in flight, when the time is up, or when a route leads here again. */
  idle(timeoutMs: number): Promise<void>;
  /** Ends what is left and the pool. */
  close(): void;
}

/** `onIdle` is called whenever the last request in flight has ended. */
export function createGeneration(
  spec: ProxyGeneration,
  onIdle: (generation: Generation) => void,
): Generation {
  let targets: Target[] = [];
  let turn = 0;
  const cuts = new Set<() => void>();
  const waiters = createWaiters();
  const generation: Generation = {
    id: spec.id,
    agent: new Agent({
      keepAlive: true,
      timeout: POOL_IDLE_MS,
      maxFreeSockets: FREE_SOCKETS_MAX,
      scheduling: 'lifo',
    }),
    live: true,
    inFlight: 0,
    requests: 0,
    errors: 0,
    enlist(next) {
      targets = merge(targets, next);
      generation.live = true;
      waiters.wake();
    },
    accept(cut) {
      generation.inFlight += 1;
      generation.requests += 1;
      // An object of its own for each request: the same function could come twice.
      const entry = (): void => cut();
      cuts.add(entry);
      return () => {
        if (!cuts.delete(entry)) return;
        generation.inFlight -= 1;
        if (generation.inFlight > 0) return;
        waiters.wake();
        onIdle(generation);
      };
    },
    pick(tried) {
      turn = (turn + 1) % Math.max(1, targets.length);
      return leastBusy([...targets.slice(turn), ...targets.slice(0, turn)], tried);
    },
    refused(target) {
      target.refusedUntil = performance.now() + REFUSED_MS;
    },
    idle: async (timeoutMs) => {
      if (generation.inFlight > 0 && !generation.live) await waiters.wait(timeoutMs);
    },
    close() {
      for (const cut of cuts) cut();
      generation.agent.destroy();
      waiters.wake();
    },
  };
  generation.enlist(spec);
  return generation;
}

function merge(known: readonly Target[], { targets }: ProxyGeneration): Target[] {
  return targets.map(
    ({ host, port }) =>
      known.find((target) => target.host === host && target.port === port) ?? {
        host,
        port,
        inFlight: 0,
        refusedUntil: 0,
      },
  );
}

function leastBusy(targets: readonly Target[], tried: ReadonlySet<Target>): Target | null {
  const now = performance.now();
  let best: Target | null = null;
  for (const target of targets) {
    if (!tried.has(target) && (best === null || weight(target, now) < weight(best, now))) best = target;
  }
  return best;
}

function weight(target: Target, now: number): number {
  return target.inFlight + (target.refusedUntil > now ? Number.MAX_SAFE_INTEGER / 2 : 0);
}
