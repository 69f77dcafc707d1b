/** Ends a run and has it forgotten. What cannot be ended is not taken for gone, and not taken note of a second time. */
import type { Context } from '../context.ts';

const AGAIN_MS = 5000;

/**
 * Tried until it is gone: a process that outlives SIGKILL may wait for a disk that hangs. False when the daemon, or all that
 * runs, is being ended first.
 */
export async function removeRun(ctx: Context, id: string, graceMs: number): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const removed = await ctx.ports.backend.remove(id, attempt === 1 ? graceMs : 0);
    if (removed.ok) return true;
    const { code, message } = removed.error;
    if (attempt === 1)
      ctx.ports.log.warn('a run could not be ended; it is tried again', {
        instance: id,
        code,
        reason: message,
      });
    if (ctx.state.mode === 'draining') return false;
    if (!(await ctx.ports.clock.sleep(AGAIN_MS, ctx.signal))) return false;
  }
}
