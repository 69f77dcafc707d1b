/** A live process ended though nobody here asked for it: said at once, then backoff, and the brake that holds it. */
import { crashed } from '../../plan/crashes.ts';
import { raiseAlert } from '../alerts.ts';
import type { Context } from '../context.ts';
import { noteDrift } from '../drift.ts';
import type { AppState } from '../state.ts';

export function liveEnded(
  ctx: Context,
  app: AppState,
  end: { readonly what: string; readonly upMs: number },
): void {
  const live = app.links.live;
  if (live === null) return;
  const now = ctx.ports.clock.now();
  const { history, hold } = crashed(app.crashes, { now, upMs: end.upMs, chance: ctx.ports.random.next() });
  app.crashes = history;
  const intent = ctx.state.record?.commit;
  const found = `${live.slot} ${end.what}; nobody here asked for it`;
  noteDrift(ctx, app.name, found);
  ctx.events.emit({
    type: 'instance-exited',
    unit: app.name,
    ...(intent === undefined ? {} : { commit: intent }),
    message: `${app.name}: ${found}`,
    data: { exits: history.exits.length, restart_at: new Date(history.restartAt).toISOString() },
  });
  const declared = ctx.state.desired?.apps.get(app.name)?.app.on_failure === 'hold';
  if (!hold && !declared) return;
  const minutes = 10;
  const reason = declared
    ? `${end.what}; on_failure is hold, so it is left as it is`
    : `ended ${history.exits.length} times within ${minutes} minutes; restarts are stopped until intent changes or an operator restarts it`;
  const code = declared ? 'held-on-failure' : 'crash-loop';
  const retryAt = null;
  ctx.ports.store.holds.put({
    unit: app.name,
    kind: 'live',
    digest: live.digest,
    intent: intent ?? '',
    code,
    reason,
    at: now,
    retryAt,
    failures: history.exits.length,
  });
  raiseAlert(ctx, declared ? 'unit-held' : 'crash-loop', app.name, `${app.name}: ${reason}`);
}
