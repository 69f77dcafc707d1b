/** Small pieces of the sentences in diagnostics: quoting of what the user wrote, lists, and the nearest known word. */

const MAX_SHOWN = 60;

/** What the user wrote, quoted, on one line and not longer than needed to recognise it. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return JSON.stringify(value);
  const text = value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}...` : value;
  return `\`${printable(text)}\``;
}

/** Without characters that would steer a terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\0-\x1F\x7F-\x9F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/g, '?');
}

/** `a, b and c`. */
export function list(words: readonly string[], last = 'and'): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1) ?? ''}`;
}

/** `1 error`, `2 errors`. */
export function counted(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}

/** `: did you mean x?`, or nothing when no known word is near. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const nearest = nearestWord(word, known);
  return nearest === null ? '' : `: did you mean \`${nearest}\`?`;
}

/** The known word that was probably meant: camelCase and hyphens count as snake_case, then by edits. */
export function nearestWord(word: string, known: Iterable<string>): string | null {
  if (word.length > MAX_SHOWN) return null;
  const plain = flat(word);
  let best: string | null = null;
  let least = Math.max(1, Math.floor(plain.length / 3)) + 1;
  for (const candidate of known) {
    const other = flat(candidate);
    if (other === plain) return candidate;
    if (Math.abs(other.length - plain.length) >= least) continue;
    const edits = distance(plain, other);
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

function flat(word: string): string {
  return word.toLowerCase().replaceAll(/[_\s-]/g, '');
}

/** Edits (insert, remove, replace, swap of neighbours) that turn one word into the other. */
function distance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const now = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      let edits = Math.min(
        at(last, column) + 1,
        at(now, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) edits = Math.min(edits, at(beforeLast, column - 2) + 1);
      now.push(edits);
    }
    [beforeLast, last] = [last, now];
  }
  return at(last, to.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
