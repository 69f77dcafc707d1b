/** Colour for people's terminals, columns that line up, and text from elsewhere made safe to print. */

export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
}

export function paint(target: { readonly color: boolean }): Paint {
  const style = (open: number, close: number) => (text: string) =>
    target.color && text !== '' ? `\u001B[${open}m${text}\u001B[${close}m` : text;
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    red: style(31, 39),
    green: style(32, 39),
    yellow: style(33, 39),
  };
}

/** Without control characters: a commit's subject must not move the reader's cursor. Newlines become spaces. */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this removes
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, '');
}

/** Rows with columns padded to the widest cell; the last column is left as it is. */
export function columns(rows: readonly (readonly string[])[], gap = 2): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, width(cell))));
  return rows
    .map((row) =>
      row
        .map((cell, i) =>
          i === row.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - width(cell) + gap),
        )
        .join('')
        .trimEnd(),
    )
    .join('\n');
}

function width(text: string): number {
  // oxlint-disable-next-line no-control-regex -- colour codes take no room
  return Array.from(text.replaceAll(/\u001B\[\d+m/g, '')).length;
}
