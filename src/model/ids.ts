/** Names and ids, and nothing else: how a unit, a slot and an instance are called. */

/** What every `name` in intent looks like (a DNS label). */
export const NAME_PATTERN = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$';

/** Instance n (from 1) of an app in a slot, e.g. `web@slot-1a2b3c4d.1`. Safe as a file name. */
export function instanceId(app: string, slot: string, n: number): string {
  return `${app}@${slot}.${n}`;
}

/** Takes `web@slot-1a2b3c4d.1` apart; null for anything else. */
export function parseInstanceId(
  id: string,
): { readonly app: string; readonly slot: string; readonly n: number } | null {
  const match = /^([a-z0-9-]+)@([a-z0-9-]+)\.(\d+)$/.exec(id);
  if (match === null) return null;
  return { app: match[1] as string, slot: match[2] as string, n: Number(match[3]) };
}

/** First eight characters of a commit, as people say it. */
export function short(commit: string): string {
  return commit.slice(0, 8);
}
