/**
 * What a person has to see, sent to the webhooks that intent names: once for each condition of each subject, until the
 * condition has passed. Raised conditions are durable, so a restart does not send them again.
 */
import type { AlertCondition } from '../model/intent.ts';
import type { Context } from './context.ts';

const ATTEMPTS = 4;
const FIRST_RETRY_MS = 1000;

const key = (condition: AlertCondition, subject: string): string => `alert:${condition}:${subject}`;

export function raiseAlert(ctx: Context, condition: AlertCondition, subject: string, message: string): void {
  const { store, clock } = ctx.ports;
  if (store.values.get(key(condition, subject)) !== null) return;
  const at = new Date(clock.now()).toISOString();
  store.values.put(key(condition, subject), at);
  ctx.events.emit({ type: 'alert', unit: subject, message: `${condition}: ${message}` });
  const body = { condition, unit: subject, message, at, commit: ctx.state.record?.commit ?? null };
  for (const hook of ctx.state.intent?.system.alerts ?? []) {
    if (hook.events.includes(condition)) void deliver(ctx, hook.webhook, body);
  }
}

export function clearAlert(ctx: Context, condition: AlertCondition, subject: string): void {
  if (ctx.ports.store.values.get(key(condition, subject)) === null) return;
  ctx.ports.store.values.put(key(condition, subject), null);
  ctx.events.emit({ type: 'alert-cleared', unit: subject, message: `${condition} has passed: ${subject}` });
}

/** The app is gone, or all is well with it. */
export function clearAlertsOf(ctx: Context, app: string): void {
  for (const condition of ['deploy-failing', 'health-timeout', 'crash-loop', 'unit-held'] as const)
    clearAlert(ctx, condition, app);
}

async function deliver(ctx: Context, url: string, body: Readonly<Record<string, unknown>>): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const sent = await ctx.ports.webhook.post(url, body, ctx.signal);
    if (sent.ok) return;
    ctx.ports.log.warn('an alert was not delivered', { attempt, reason: sent.error.message });
    if (!(await ctx.ports.clock.sleep(FIRST_RETRY_MS * 2 ** (attempt - 1), ctx.signal))) return;
  }
}
