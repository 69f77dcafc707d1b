/** Diagnostics as text for people and as JSON; see render-github.ts and render-sarif.ts for other machines. */
import { type Diagnostic, hasErrors } from './diagnostic.ts';
import { printable } from './words.ts';

/** Widest excerpt of a source line, in terminal cells. */
const MAX_EXCERPT = 160;
/** What is kept of a long line before the place that is meant. */
const LEAD = 60;

const COLORS = { error: '\u001B[31m', warning: '\u001B[33m', dim: '\u001B[2m', reset: '\u001B[0m' } as const;

/** `file:line:col: error CODE message`, the source line and a caret line, for each; '' when there are none. */
export function renderText(
  diagnostics: readonly Diagnostic[],
  options: { readonly color?: boolean } = {},
): string {
  const color = options.color ?? false;
  return diagnostics.map((each) => `${headline(each, color)}\n${excerpt(each, color)}`).join('');
}

/** `file:line:col: error CODE message` alone, on one line. */
export function renderLine(diagnostic: Diagnostic): string {
  return headline(diagnostic, false);
}

/** One JSON document: `{valid, diagnostics}`. */
export function renderJson(diagnostics: readonly Diagnostic[]): string {
  return `${JSON.stringify({ valid: !hasErrors(diagnostics), diagnostics }, null, 2)}\n`;
}

function headline({ file, line, column, severity, code, message }: Diagnostic, color: boolean): string {
  const word = color ? `${COLORS[severity]}${severity}${COLORS.reset}` : severity;
  return `${printable(file)}:${line}:${column}: ${word} ${code} ${printable(message)}`;
}

function excerpt(diagnostic: Diagnostic, color: boolean): string {
  if (diagnostic.source === null || diagnostic.source === '') return '';
  const characters = Array.from(diagnostic.source);
  const begin = Math.min(diagnostic.column - 1, characters.length);
  const from = begin > MAX_EXCERPT - LEAD ? begin - LEAD : 0;
  const lead = characters.slice(from, begin);
  const rest = fitting(characters.slice(begin), MAX_EXCERPT - cells(lead));
  const marked = rest.slice(0, diagnostic.length);
  const number = String(diagnostic.line);
  const [cut, pad] = from > 0 ? ['...', '   '] : ['', ''];
  const source = `  ${number} | ${cut}${[...lead, ...rest].map(visible).join('')}`;
  const carets = '^'.repeat(Math.max(1, cells(marked)));
  const under = `  ${' '.repeat(number.length)} | ${pad}${lead.map(blank).join('')}`;
  return color
    ? `${COLORS.dim}${source}${COLORS.reset}\n${under}${COLORS[diagnostic.severity]}${carets}${COLORS.reset}\n`
    : `${source}\n${under}${carets}\n`;
}

function fitting(characters: readonly string[], room: number): string[] {
  let used = 0;
  return characters.filter((each) => (used += width(each)) <= room);
}

function cells(characters: readonly string[]): number {
  return characters.reduce((sum, each) => sum + width(each), 0);
}

/** What stands under a character that is not meant: as wide, and a tab where a tab is. */
function blank(character: string): string {
  return character === '\t' ? '\t' : ' '.repeat(width(character));
}

function visible(character: string): string {
  return character === '\t' ? character : printable(character);
}

/** Terminal cells of a character: two for East Asian wide ones and emoji, none for marks that combine. */
function width(character: string): number {
  if (/^\p{Mn}$|^\p{Me}$|^\u200D$|^[\uFE00-\uFE0F]$/u.test(character)) return 0;
  const point = character.codePointAt(0) ?? 0;
  return point >= 0x1100 && WIDE.some(([from, to]) => point >= from && point <= to) ? 2 : 1;
}

const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1faff],
  [0x20000, 0x3fffd],
];
