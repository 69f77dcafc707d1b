/** What was found other than as left: kept for people, newest first, whether or not it has been put right since. */
import type { Context } from './context.ts';

const KEPT = 50;

export function noteDrift(ctx: Context, unit: string, found: string): void {
  const at = new Date(ctx.ports.clock.now()).toISOString();
  ctx.state.drift = [{ unit, found, at }, ...ctx.state.drift].slice(0, KEPT);
}
