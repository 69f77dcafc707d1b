/** Writes the notes that the store says are due, in bulk, and again until they are on the ref. */
import { backoffMs } from '../../base/backoff.ts';
import type { Context } from '../context.ts';
import { noteText } from './note-text.ts';
import { steadily } from '../steadily.ts';
import { isTerminal } from './record.ts';

const BATCH = 200;
/**
 * What is still on its way is noted a little later: a quick rollout reaches its verdict by then, is noted once, and does
 * not share the processors with git while the new version boots. It is in the store all the time.
 */
const UNDER_WAY_MS = 500;
const BACKOFF = { firstMs: 200, capMs: 30_000 };

export interface NoteQueue {
  /** Something is due. */
  wake(): void;
  /** Resolves true when nothing is due, false at the limit. */
  idle(limitMs: number): Promise<boolean>;
  readonly done: Promise<void>;
}

export function runNoteQueue(ctx: Context, daemon: string): NoteQueue {
  let alarm = new AbortController();
  let idleListeners: (() => void)[] = [];
  const wake = (): void => alarm.abort();

  /** Waits for a verdict among what is due, for somebody who waits, or for the time to be up. */
  async function ripen(): Promise<void> {
    const until = ctx.ports.clock.now() + UNDER_WAY_MS;
    while (!ctx.signal.aborted) {
      alarm = new AbortController();
      const due = ctx.ports.store.commits.unnoted(BATCH);
      const left = until - ctx.ports.clock.now();
      const ripe = due.length === 0 || due.some(({ state }) => isTerminal(state));
      if (ripe || left <= 0 || idleListeners.length > 0) return;
      await ctx.ports.clock.sleep(left, AbortSignal.any([alarm.signal, ctx.signal]));
    }
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!ctx.signal.aborted) {
      await ripen();
      alarm = new AbortController();
      const due = ctx.ports.store.commits.unnoted(BATCH);
      if (due.length === 0) {
        failures = 0;
        const listeners = idleListeners;
        idleListeners = [];
        for (const listener of listeners) listener();
        await ctx.ports.clock.sleep(60_000, AbortSignal.any([alarm.signal, ctx.signal]));
        continue;
      }
      const result = await ctx.ports.notes.write(
        due.map((record) => ({ commit: record.commit, text: noteText(record, daemon) })),
      );
      if (result.ok) {
        failures = 0;
        for (const record of due) ctx.ports.store.commits.noted(record.commit, record.revision);
        continue;
      }
      failures += 1;
      ctx.ports.log.warn('notes could not be written yet', { due: due.length, reason: result.error.message });
      await ctx.ports.clock.sleep(backoffMs(BACKOFF, failures, ctx.ports.random.next()), ctx.signal);
    }
  }

  return {
    wake,
    async idle(limitMs) {
      if (ctx.ports.store.commits.unnotedCount() === 0) return true;
      const limit = new AbortController();
      const reached = new Promise<true>((resolve) => idleListeners.push(() => resolve(true)));
      wake();
      const result = await Promise.race([
        reached,
        ctx.ports.clock.sleep(limitMs, AbortSignal.any([limit.signal, ctx.signal])).then(() => false),
      ]);
      limit.abort();
      return result;
    },
    done: steadily(ctx, 'notes', run),
  };
}
