/**
 * Which backends there are, by the name that intent uses. Data only: the daemon's wiring builds the ones that it needs
 * from what each one asks for. A new backend adds one line here (see README.md).
 */
import type { Backend } from '../src/ports.ts';
import { createMemoryBackend } from './memory/backend.ts';
import { createProcessBackend } from './process/backend.ts';

export interface BackendEntry<Options> {
  /** One line for people. */
  readonly description: string;
  /** False: for tests and the simulator; intent cannot name it. */
  readonly forIntent: boolean;
  readonly create: (options: Options) => Backend;
}

export const backends = {
  process: {
    description: 'processes of this machine, each with a process group of its own',
    forIntent: true,
    create: createProcessBackend,
  },
  memory: {
    description: 'plain data with scripted faults, for tests and the simulator',
    forIntent: false,
    create: createMemoryBackend,
  },
} as const satisfies Record<string, BackendEntry<never>>;

/** The names that intent may use. */
export function backendNames(): readonly string[] {
  return Object.entries(backends)
    .filter(([, entry]) => entry.forIntent)
    .map(([name]) => name);
}
