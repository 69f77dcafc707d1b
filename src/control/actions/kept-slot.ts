/** A slot that was deployed before is used again only as it was deployed. */
import { err, failure, ok, type Result } from '../../base/result.ts';
import type { Context } from '../context.ts';

/** The slot's folder, or `slot-drifted`: then the next plan lays a new slot. */
export async function keptSlot(ctx: Context, app: string, slot: string): Promise<Result<string>> {
  if (await ctx.ports.slots.intact(app, slot)) return ok(ctx.ports.slots.dir(app, slot));
  return err(failure('slot-drifted', `${slot} is not as it was deployed: its files were changed or removed`));
}
