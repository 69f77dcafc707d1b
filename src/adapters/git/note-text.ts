/**
 * One note holds our block and, beside it, whatever others wrote on the same commit. Ours begins with a `state:` line
 * and is closed by a YAML document end (`...`), so that it can be told from their text for ever. Pure.
 */

const BLOCK_START = /^state: (?:pending|converging|converged|failed|held|superseded|invalid)$/;
const BLOCK_END = '...';

export interface NoteParts {
  /** Our YAML mapping without the closing line; null when there is none. */
  readonly ours: string | null;
  /** What others wrote, blank lines between the pieces. */
  readonly foreign: string;
}

/** The note's new text: `ours` (one YAML mapping that begins with `state:`) first, then all foreign text, once. */
export function mergeNote(existing: string | null, ours: string): string {
  const block = closed(ours);
  const { foreign } = splitNote(existing ?? '');
  return foreign === '' ? block : `${block}\n${foreign}\n`;
}

/** Takes a note apart. Of several blocks of ours (git joins notes when it merges them) the first one counts. */
export function splitNote(text: string): NoteParts {
  const lines = text.split('\n');
  const foreign: string[] = [];
  let ours: string | null = null;
  let piece: string[] = [];
  let at = 0;
  while (at < lines.length) {
    const end = blockEnd(lines, at);
    if (end === null) {
      piece.push(lines[at] as string);
      at += 1;
      continue;
    }
    ours ??= `${lines.slice(at, end).join('\n')}\n`;
    foreign.push(trimmed(piece));
    piece = [];
    at = end + 1;
  }
  foreign.push(trimmed(piece));
  return { ours, foreign: foreign.filter((part) => part !== '').join('\n\n') };
}

/** Line of the closing `...` of the block that begins at `start`; null when none begins there or it is never closed. */
function blockEnd(lines: readonly string[], start: number): number | null {
  if (!BLOCK_START.test(lines[start] as string)) return null;
  for (let at = start + 1; at < lines.length; at += 1) {
    if (lines[at] === BLOCK_END) return at;
    // Ours has one such line: the former one was somebody's text.
    if (BLOCK_START.test(lines[at] as string)) return null;
  }
  return null;
}

function closed(ours: string): string {
  const lines = ours.replace(/\s+$/, '').split('\n');
  if (lines.at(-1) === BLOCK_END) lines.pop();
  if (!BLOCK_START.test(lines[0] ?? '') || lines.includes(BLOCK_END)) {
    throw new Error(
      `a note of ours must be one YAML mapping that begins with its state, got ${JSON.stringify(lines[0])}`,
    );
  }
  return `${lines.join('\n')}\n${BLOCK_END}\n`;
}

/** Without blank lines at either end; all else as it was. */
function trimmed(lines: readonly string[]): string {
  let from = 0;
  let to = lines.length;
  while (from < to && lines[from] === '') from += 1;
  while (to > from && lines[to - 1] === '') to -= 1;
  return lines.slice(from, to).join('\n');
}
