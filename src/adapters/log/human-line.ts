/** One log entry as one short line for a person: level only when it matters, message, then the facts. Pure. */

export type Level = 'info' | 'warn' | 'error';

export interface Entry {
  readonly level: Level;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly color: boolean;
}

const FACT_MAX = 200;

/** Never holds a line end, so that text from outside cannot forge a second entry. */
export function humanLine({ level, message, fields, color }: Entry): string {
  const facts = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([key, value]) => `${key}=${fact(value)}`);
  const mark = level === 'info' ? '' : `${level}: `;
  const head = color && level !== 'info' ? `\u001b[${level === 'warn' ? 33 : 31}m${mark}\u001b[0m` : mark;
  const tail =
    facts.length === 0 ? '' : `  ${color ? `\u001b[2m${facts.join(' ')}\u001b[0m` : facts.join(' ')}`;
  return head + plain(message) + tail;
}

function fact(value: unknown): string {
  const text = plain(
    typeof value === 'string' ? value : (messageOf(value) ?? JSON.stringify(value) ?? String(value)),
  );
  const cut = text.length > FACT_MAX ? `${text.slice(0, FACT_MAX)}...` : text;
  return /[\s"=]/.test(cut) ? JSON.stringify(cut) : cut;
}

/** Of an error only the message is for people; the stack is in the JSON. */
function messageOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('message' in value) || !('stack' in value))
    return null;
  return String(value.message);
}

/** Control characters, among them the terminal's escape, become spaces. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
