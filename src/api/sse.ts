/** Server-sent events as text. Pure. */

export interface SseMessage {
  readonly event?: string;
  readonly id?: string;
  readonly data: string;
}

/** A line end inside data becomes another data line; inside event or id it would forge a field, so it is dropped. */
export function sseMessage({ event, id, data }: SseMessage): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `${field('id', id)}${field('event', event)}${lines.join('')}\n`;
}

export function sseComment(text: string): string {
  return `: ${text.replaceAll(/[\r\n]/g, ' ')}\n\n`;
}

/** How long a client waits before it connects again. */
export function sseRetry(ms: number): string {
  return `retry: ${ms}\n\n`;
}

function field(name: string, value: string | undefined): string {
  return value === undefined ? '' : `${name}: ${value.replaceAll(/[\r\n\0]/g, '')}\n`;
}
