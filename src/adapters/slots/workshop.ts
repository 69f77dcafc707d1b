/** What the parts of the slot store work with, and what one store remembers between calls; one for each store. */
import type { Clock, Log, Random } from '../../ports.ts';
import type { AppFolder } from './app-folder.ts';
import type { Files } from './files.ts';
import type { SlotGit } from './slot-git.ts';

export interface Workshop {
  readonly files: Files;
  readonly git: SlotGit;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly folderOf: (app: string) => AppFolder;
  /** How long a checkout waits for a running copy of live before it cuts it short. */
  readonly takeOverMs: number;
  /** Slots that a deploy of this daemon works on, by app: neither live nor to be swept away. */
  readonly inHand: Map<string, Set<string>>;
  /** Running copies of live, by app. */
  readonly copies: Map<string, AbortController>;
}
