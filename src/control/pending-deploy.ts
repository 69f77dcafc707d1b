/**
 * An imperative deploy whose outcome is still open, kept durably: when it fails, the branch goes back to what is live,
 * also when the daemon died in between.
 */
import type { Context } from './context.ts';

export interface PendingDeploy {
  readonly app: string;
  /** The commit on the watched branch that asks for it. */
  readonly intent: string;
  /** `source.ref` to go back to; null: leave the branch as it is. */
  readonly backTo: string | null;
  readonly author: string;
}

const key = (app: string): string => `pending-deploy:${app}`;

export function pendingDeploy(ctx: Context, app: string): PendingDeploy | null {
  const text = ctx.ports.store.values.get(key(app));
  return text === null ? null : (JSON.parse(text) as PendingDeploy);
}

export function putPendingDeploy(ctx: Context, pending: PendingDeploy): void {
  ctx.ports.store.values.put(key(pending.app), JSON.stringify(pending));
}

export function endPendingDeploy(ctx: Context, app: string): void {
  if (pendingDeploy(ctx, app) !== null) ctx.ports.store.values.put(key(app), null);
}
