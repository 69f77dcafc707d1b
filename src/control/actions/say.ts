/** Tells of a step of the work on an app; the same form wherever it is said. */
import type { App } from '../../model/intent.ts';
import type { Context } from '../context.ts';

/** `intent` is the commit that the work is done for. */
export function say(
  ctx: Context,
  about: { readonly app: App; readonly intent: string },
  type: string,
  message: string,
): void {
  const { app, intent } = about;
  ctx.events.emit({ type, unit: app.name, commit: intent, message: `${app.name}: ${message}` });
}
