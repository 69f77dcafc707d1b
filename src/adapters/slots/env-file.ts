/** Reads the text of an env file. Pure: no files, no expansion of `$NAME`, nothing of our own environment. */
import { err, ok, type Result } from '../../base/result.ts';

/** What was wrong, never with the value: it may be a secret. */
export interface EnvFileError {
  readonly line: number;
  readonly message: string;
}

interface EnvText {
  readonly text: string;
  /** Where the next line begins. */
  readonly at: number;
}

const NAME = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*/;

/**
 * `NAME=value` a line; blank lines and `#` comments are skipped, `export ` before a name is allowed. Bare values end
 * at the line or at ` #`; single quotes keep everything; double quotes know \n \r \t \" \\ \$; quoted values may span
 * lines. The last of several values for a name wins.
 */
export function parseEnvFile(text: string): Result<Readonly<Record<string, string>>, EnvFileError> {
  const values = new Map<string, string>();
  const source = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  if (source.includes('\0'))
    return err({ line: lineOf(source, source.indexOf('\0')), message: 'it holds a NUL byte' });
  for (let at = 0; at < source.length;) {
    const end = endOfLine(source, at);
    const line = source.slice(at, end).trimStart();
    if (line.trim() === '' || line.startsWith('#')) {
      at = end + 1;
      continue;
    }
    const name = NAME.exec(line);
    if (name?.[1] === undefined) return err({ line: lineOf(source, at), message: complaint(line) });
    const from = end - line.length + name[0].length;
    const value = readValue(source, from);
    if (!value.ok) return err({ line: lineOf(source, from), message: `${name[1]} ${value.error}` });
    values.set(name[1], value.value.text);
    at = value.value.at;
  }
  return ok(Object.fromEntries(values));
}

function readValue(source: string, from: number): Result<EnvText, string> {
  const quote = source[from];
  if (quote !== '"' && quote !== "'") {
    const end = endOfLine(source, from);
    const bare = source.slice(from, end);
    const comment = bare.startsWith('#') ? 0 : bare.search(/[ \t]#/);
    return ok({ text: (comment === -1 ? bare : bare.slice(0, comment)).trim(), at: end + 1 });
  }
  const close = closingQuote(source, from + 1, quote);
  if (close === -1) return err(`begins with ${quote} and has no closing ${quote}`);
  const end = endOfLine(source, close);
  const rest = source.slice(close + 1, end).trim();
  if (rest !== '' && !rest.startsWith('#')) return err(`has text after its closing ${quote}`);
  const inner = source.slice(from + 1, close);
  return ok({ text: quote === '"' ? unescape(inner) : inner, at: end + 1 });
}

function closingQuote(source: string, from: number, quote: string): number {
  for (let at = from; at < source.length; at += 1) {
    if (quote === '"' && source[at] === '\\') at += 1;
    else if (source[at] === quote) return at;
  }
  return -1;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' };

function unescape(text: string): string {
  return text.replaceAll(/\\([\s\S])/g, (whole, character: string) => ESCAPES[character] ?? whole);
}

function complaint(line: string): string {
  const name = /^(?:export[ \t]+)?([^=\s]*)/.exec(line)?.[1] ?? '';
  if (!line.includes('=')) return 'there is no `=`; a line is `NAME=value`, a comment begins with `#`';
  // What stands before `=` is a name that was meant to be one, and no value.
  return `${JSON.stringify(name.slice(0, 40))} is not a name: letters, digits and _, not beginning with a digit`;
}

function endOfLine(source: string, at: number): number {
  const end = source.indexOf('\n', at);
  return end === -1 ? source.length : end;
}

function lineOf(source: string, at: number): number {
  return source.slice(0, at).split('\n').length;
}
