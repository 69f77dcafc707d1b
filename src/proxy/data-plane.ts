/**
 * The table at work. Decides the order of a change: new ports open, then every route moves in one tick, then old
 * ports close; and when a generation may be drained.
 */
import { err, failure, ok, type Result } from '../base/result.ts';
import type { ListenFailure, ProxyStats } from '../ports.ts';
import type { ProxyListener, ProxyTable } from '../model/routes.ts';
import type { Destination } from './exchange.ts';
import { createGenerations } from './generations.ts';
import { createListeners } from './listeners.ts';
import { createRouter, type Router } from './router.ts';

export interface DataPlane {
  /** Serves exactly this table; one at a time, in the order of the calls. Answers what could not be listened on. */
  apply(table: ProxyTable): Promise<readonly ListenFailure[]>;
  /** Requests left at the end; the generation is gone then. Fails with `generation-in-use` while a route leads there. */
  drain(id: string, timeoutMs: number): Promise<Result<number>>;
  stats(): ProxyStats;
  /** Stops accepting and lets what runs finish; what is left after `graceMs` is cut. */
  close(graceMs: number): Promise<void>;
}

export function createDataPlane(): DataPlane {
  const generations = createGenerations();
  const listeners = createListeners(routerOf);
  let version = 0;
  let tail: Promise<unknown> = Promise.resolve();

  function routerOf(listener: ProxyListener): Router<Destination> {
    return createRouter(listener.routes, ({ app, generation }) => ({
      app,
      generation: generation === null ? null : generations.of(generation),
    }));
  }

  /** The swap: no await in here, so that no request sees half of it. */
  function switchOver(table: ProxyTable): void {
    const specs = table.listeners
      .flatMap(({ routes }) => routes)
      .flatMap(({ generation }) => generation ?? []);
    for (const spec of specs) generations.of(spec).enlist(spec);
    listeners.route(table.listeners);
    generations.retireAllBut(new Set(specs.map(({ id }) => id)));
    version = table.version;
  }

  async function change(table: ProxyTable): Promise<readonly ListenFailure[]> {
    const wanted = table.listeners;
    const failures = await listeners.open(wanted);
    switchOver(table);
    const gone = listeners.leaveAllBut(wanted);
    // A port may have been ours under another host: now it is free.
    return failures.length > 0 && gone > 0 ? listeners.open(wanted) : failures;
  }

  return {
    apply(table) {
      const done = tail.then(() => change(table));
      tail = done.catch(() => undefined);
      return done;
    },
    async drain(id, timeoutMs) {
      const generation = generations.get(id);
      if (generation === undefined) return ok(0);
      await generation.idle(timeoutMs);
      if (generation.live) return err(inUse(id));
      const left = generation.inFlight;
      generations.forget(generation);
      return ok(left);
    },
    stats: () => ({ generations: generations.stats(), version, rssBytes: process.memoryUsage.rss() }),
    async close(graceMs) {
      await tail;
      listeners.leaveAllBut([]);
      const limit = new Promise((resolve) => void setTimeout(resolve, graceMs).unref());
      await Promise.race([listeners.gone(), limit]);
      generations.closeAll();
      listeners.destroy();
    },
  };
}

function inUse(id: string): ReturnType<typeof failure> {
  return failure(
    'generation-in-use',
    `Generation ${id} still serves a route. Send a table without it, then drain it.`,
  );
}
