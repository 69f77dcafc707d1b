/** Bytes to text: strict UTF-8, without its byte order mark, with nothing in it that an editor would not show. */
import { problem, type Problem } from './lines.ts';

/** The text as far as it could be read, and what is wrong with it; with a problem the text must not be parsed. */
export interface Decoded {
  readonly text: string;
  readonly problem: Problem | null;
}

const BOM = '\uFEFF';
// Controls, lone carriage returns, marks in the middle, and the marks that make text read otherwise than it is.
// oxlint-disable-next-line no-control-regex
const HIDDEN = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]|\r(?!\n)/;

/** Decodes a document file. */
export function decode(bytes: Uint8Array): Decoded {
  const text = strict(bytes, false);
  if (text === null) return notUtf8(bytes);
  const hidden = HIDDEN.exec(text);
  if (hidden === null) return { text, problem: null };
  const what = `U+${(hidden[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return {
    text,
    problem: problem(
      'control-character',
      `the file holds the invisible character ${what} here: remove it, or write it as an escape in double quotes`,
      { start: hidden.index, end: hidden.index + 1 },
    ),
  };
}

/** Takes the byte order mark off, if there is one, and says what it was. */
export function splitBom(text: string): { readonly bom: string; readonly rest: string } {
  return text.startsWith(BOM) ? { bom: BOM, rest: text.slice(1) } : { bom: '', rest: text };
}

function strict(bytes: Uint8Array, partial: boolean): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: partial });
  } catch {
    return null;
  }
}

function notUtf8(bytes: Uint8Array): Decoded {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (strict(bytes.subarray(0, middle), true) === null) bad = middle;
    else good = middle;
  }
  const text = strict(bytes.subarray(0, good), true) ?? '';
  const first = bytes[0] ?? 0;
  const utf16 = (first === 0xff || first === 0xfe) && bytes[1] === (first ^ 1);
  return {
    text,
    problem: problem(
      'not-utf-8',
      utf16
        ? 'the file is UTF-16: save it as UTF-8'
        : 'the file is not valid UTF-8 from here on: save it as UTF-8',
      { start: text.length, end: text.length + 1 },
    ),
  };
}
