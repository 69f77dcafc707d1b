/** What every part of the control loop shares: its ports, its options and the state of one daemon's life. */
import type {
  Backend,
  Clock,
  CommandRunner,
  Disk,
  Environment,
  IntentNotes,
  IntentRepository,
  Log,
  NoteWriter,
  PortAllocator,
  Probe,
  Proxy,
  Random,
  SlotStore,
  SourceStore,
  Store,
  Webhook,
} from '../ports.ts';
import type { EventLog } from './events.ts';
import type { State } from './state.ts';
import type { SteadyStore } from './steady-store.ts';

export interface ControlPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly repository: IntentRepository;
  readonly notes: IntentNotes;
  /** Notes in an app's own source repository, where that can be written from here; null where not. */
  readonly sourceNotes: (gitDir: string) => NoteWriter | null;
  readonly sources: SourceStore;
  readonly slots: SlotStore;
  readonly commands: CommandRunner;
  readonly environment: Environment;
  readonly backend: Backend;
  readonly ports: PortAllocator;
  readonly probe: Probe;
  readonly proxy: Proxy;
  readonly store: Store;
  readonly webhook: Webhook;
  readonly disk: Disk;
}

export interface ControlOptions {
  /** Address that public ports are bound to. */
  readonly publicHost: string;
  readonly version: string;
  /** Name of the branch, for people. */
  readonly branch: string;
  /** One line about the presence plane, for people. */
  readonly presence: string;
  /** How long `setup_command` may run. */
  readonly setupTimeoutMs: number;
  /** How long a push is kept waiting for its verdict. */
  readonly followLimitMs: number;
}

export interface Context {
  readonly ports: ControlPorts & { readonly store: SteadyStore };
  readonly options: ControlOptions;
  readonly state: State;
  readonly events: EventLog;
  /** Asks for a pass; many calls before it begins are one. */
  readonly wake: () => void;
  /** Ends with the daemon's life. */
  readonly signal: AbortSignal;
}
