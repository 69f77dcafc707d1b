/** What failed attempts have left of an app that is gone: its holds, its count and its alerts. */
import { clearAlertsOf } from './alerts.ts';
import type { Context } from './context.ts';

export function forgetFailures(ctx: Context, app: string): void {
  ctx.ports.store.holds.delete(app, 'version');
  ctx.ports.store.holds.delete(app, 'live');
  ctx.ports.store.values.put(`failures:${app}`, null);
  clearAlertsOf(ctx, app);
}
