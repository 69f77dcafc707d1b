/** What brought a deploy about, for the journal. */
import type { JournalEntry } from '../../model/slot.ts';
import type { Context } from '../context.ts';
import { pendingDeploys } from '../calls/pending-deploy.ts';
import { appState } from '../state.ts';

export function triggerOf(ctx: Context, app: string): JournalEntry['trigger'] {
  const pending = pendingDeploys(ctx).get(app);
  if (pending !== undefined && pending.intent === ctx.state.record?.commit) return 'api';
  if (appState(ctx.state, app).crashes !== null) return 'crash';
  if (ctx.state.record?.everConverged !== true) return 'push';
  return ctx.state.desired?.apps.get(app)?.version?.followed === true ? 'source' : 'reconcile';
}
