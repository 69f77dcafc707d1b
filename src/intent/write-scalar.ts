/** A scalar as YAML text in the style of what stood there, quoted where plain text would be read as something else. */
import { isScalar, type Scalar } from 'yaml';

type Style = Scalar['type'];

/** Plain texts that stay texts wherever they stand, also in flow style; numbers and words of YAML are none of them. */
const SAFE = /^[A-Za-z_][A-Za-z0-9_/-]*(\.[A-Za-z0-9_/-]+)*$/;
const WORDS = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n']);

/** The text for a value, in the style given as far as it can be kept. Values hold no line breaks. */
export function scalarText(value: string | boolean, style: Style | null | undefined): string {
  if (typeof value === 'boolean') return String(value);
  if (style === 'QUOTE_SINGLE') return `'${value.replaceAll("'", "''")}'`;
  if (style === 'QUOTE_DOUBLE') return JSON.stringify(value);
  return isPlain(value) ? value : JSON.stringify(value);
}

/** A key in the quotes of its neighbour. */
export function keyLike(neighbour: Scalar, key: string): string {
  return neighbour.type === 'PLAIN' ? key : scalarText(key, neighbour.type);
}

/** The style that a new value takes over from its neighbour: its quotes, nothing else. */
export function quotedLike(node: unknown): Style {
  const type = isScalar(node) ? (node as Scalar).type : undefined;
  return type === 'QUOTE_SINGLE' || type === 'QUOTE_DOUBLE' ? type : 'PLAIN';
}

/** A hash may look like a number (1e5, 0123): whatever begins with a digit stays plain only when no number can. */
function isPlain(value: string): boolean {
  if (WORDS.has(value.toLowerCase())) return false;
  return (
    SAFE.test(value) ||
    (/^[0-9a-f]{40}$/.test(value) && /[a-df]/.test(value)) ||
    /^[0-9]+\.[0-9]+\.[0-9]+$/.test(value)
  );
}
