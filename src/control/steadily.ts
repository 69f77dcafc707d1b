/** Runs something that lasts as long as the daemon: what fails inside it is logged and begun again, never the daemon's end. */
import type { Context } from './context.ts';

const AGAIN_MS = 1000;

export async function steadily(ctx: Context, name: string, run: () => Promise<void>): Promise<void> {
  while (!ctx.signal.aborted) {
    try {
      await run();
      return;
    } catch (error) {
      if (ctx.signal.aborted) return;
      ctx.ports.log.error('a background task failed and is begun again', {
        task: name,
        error: String(error),
      });
      await ctx.ports.clock.sleep(AGAIN_MS, ctx.signal);
    }
  }
}
