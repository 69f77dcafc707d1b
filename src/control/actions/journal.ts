/** One line in an app's journal for each attempt to change what is live. */
import type { JournalEntry } from '../../model/slot.ts';
import type { Context } from '../context.ts';

/** Written now; `began` is when the attempt did. On disk when it resolves. */
export async function writeJournal(
  ctx: Context,
  began: number,
  attempt: Omit<JournalEntry, 'at' | 'took_ms'>,
): Promise<void> {
  const now = ctx.ports.clock.now();
  const { health, ...rest } = attempt;
  await ctx.ports.slots.journal({
    at: new Date(now).toISOString(),
    ...rest,
    took_ms: now - began,
    ...(health === undefined ? {} : { health }),
  });
}
