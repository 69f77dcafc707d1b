/**
 * Imperative deploys whose outcome is still open, kept durably: when one fails, the branch goes back to what is live,
 * also when the daemon died in between.
 */
import type { Context } from '../context.ts';

export interface PendingDeploy {
  readonly app: string;
  /** The commit on the watched branch that asks for it. */
  readonly intent: string;
  /** `source.ref` to go back to; null: leave the branch as it is. */
  readonly backTo: string | null;
  readonly author: string;
}

const KEY = 'pending-deploys';

/** By app. Read once in a daemon's life; every change is written through. */
export function pendingDeploys(ctx: Context): ReadonlyMap<string, PendingDeploy> {
  if (ctx.state.pendingDeploys === null) {
    const list = JSON.parse(ctx.ports.store.values.get(KEY) ?? '[]') as readonly PendingDeploy[];
    ctx.state.pendingDeploys = new Map(list.map((pending) => [pending.app, pending]));
  }
  return ctx.state.pendingDeploys;
}

export function putPendingDeploy(ctx: Context, pending: PendingDeploy): void {
  write(ctx, new Map(pendingDeploys(ctx)).set(pending.app, pending));
}

export function endPendingDeploy(ctx: Context, app: string): void {
  const rest = new Map(pendingDeploys(ctx));
  if (rest.delete(app)) write(ctx, rest);
}

function write(ctx: Context, all: ReadonlyMap<string, PendingDeploy>): void {
  ctx.ports.store.values.put(KEY, all.size === 0 ? null : JSON.stringify([...all.values()]));
  ctx.state.pendingDeploys = all;
}
