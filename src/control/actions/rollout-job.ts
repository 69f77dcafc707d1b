/** What a rollout is to do, as the plan and the world have it. */
import type { App } from '../../model/intent.ts';
import type { StartAction, SwapAction } from '../../model/plan.ts';
import type { JournalEntry } from '../../model/slot.ts';
import type { SourceVersion } from '../../model/source.ts';

export interface RolloutJob {
  readonly action: StartAction | SwapAction;
  readonly app: App;
  readonly version: SourceVersion;
  /** Intent commit that it is done for. */
  readonly intent: string;
  readonly trigger: JournalEntry['trigger'];
  /** Called once the decision is durable: from now on the work can only be waited for. */
  readonly onSettled: () => void;
}

/** It goes back to the kept previous slot; otherwise it lays a new one. */
export function reusesSlot(job: RolloutJob): boolean {
  return job.action.do === 'swap' && job.action.via !== 'new';
}
