/** Every generation that is in the table or not finished yet, by id. Decides when one is forgotten. */
import type { ProxyGeneration } from '../model/routes.ts';
import type { ProxyStats } from '../ports.ts';
import { createGeneration, type Generation } from './generation.ts';

export interface Generations {
  get(id: string): Generation | undefined;
  /** The one with this id, made when there is none. */
  of(spec: ProxyGeneration): Generation;
  /** No route leads anywhere but to these; the others are forgotten as soon as nothing is in flight on them. */
  retireAllBut(ids: ReadonlySet<string>): void;
  /** Ends what is left of it, and its pool. */
  forget(generation: Generation): void;
  closeAll(): void;
  stats(): ProxyStats['generations'];
}

export function createGenerations(): Generations {
  const known = new Map<string, Generation>();

  function forget(generation: Generation): void {
    if (known.get(generation.id) === generation) known.delete(generation.id);
    generation.close();
  }

  return {
    forget,
    get: (id) => known.get(id),
    of(spec) {
      const there = known.get(spec.id);
      if (there !== undefined) return there;
      const made = createGeneration(spec, (idle) => {
        if (!idle.live) forget(idle);
      });
      known.set(spec.id, made);
      return made;
    },
    retireAllBut(ids) {
      for (const generation of known.values()) {
        if (ids.has(generation.id)) continue;
        generation.live = false;
        if (generation.inFlight === 0) forget(generation);
      }
    },
    closeAll() {
      for (const generation of known.values()) generation.close();
    },
    stats() {
      const entries = [...known.values()].map(
        ({ id, inFlight, requests, errors }) => [id, { inFlight, requests, errors }] as const,
      );
      return Object.fromEntries(entries);
    },
  };
}
