/**
 * One request on its way through: who asks, which app and generation answers. The generation is chosen once, at
 * acceptance, and never changes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Generation } from './generation.ts';

/** What a route leads to; null: nothing healthy. */
export interface Destination {
  readonly app: string;
  readonly generation: Generation | null;
}

export interface Exchange {
  readonly app: string;
  readonly generation: Generation;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Host as it is passed on. */
  readonly host: string;
  /** True once the listener goes away: the connection ends after this answer. */
  readonly closing: () => boolean;
}
