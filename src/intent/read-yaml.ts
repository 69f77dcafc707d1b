/**
 * Text to YAML 1.2 documents with positions, in bounded time: too deep a nesting is found before anything recurses
 * over it, and the library's quadratic checks are off (to-value.ts has its own). Says nothing about meaning.
 */
import { Composer, type CST, type Document, Lexer, Parser } from 'yaml';
import { problem, type Problem } from './lines.ts';
import { printable } from './words.ts';

/** One document of a file; with problems its contents must not be used. */
export interface YamlDocument {
  readonly doc: Document.Parsed;
  readonly problems: readonly Problem[];
  /** Unknown tags and the like: errors in a document of ours, nobody's business in a foreign one. */
  readonly doubts: readonly Problem[];
}

export interface YamlFile {
  readonly documents: readonly YamlDocument[];
  /** What stopped the reading of the rest of the file, if anything did. */
  readonly stopped: Problem | null;
}

const MAX_DEPTH = 64;
const OPTIONS = {
  version: '1.2',
  schema: 'core',
  merge: false,
  resolveKnownTags: false,
  uniqueKeys: false,
  strict: true,
  stringKeys: false,
  prettyErrors: false,
  logLevel: 'silent',
} as const;

/** Reads all documents of a text without a byte order mark. Never throws. */
export function readYaml(text: string): YamlFile {
  const documents: YamlDocument[] = [];
  let at = 0;
  const version: Problem[] = [];
  try {
    const composer = new Composer(OPTIONS);
    const source = tokens(text);
    let next = source.next();
    for (; next.done !== true; next = source.next()) {
      const token = next.value;
      at = token.offset;
      for (const doc of composer.next(token)) documents.push(toDocument(doc, version.splice(0)));
      if (token.type === 'directive') version.push(...versionProblem(token));
    }
    if (next.value !== null) return { documents, stopped: next.value };
    for (const doc of composer.end(false, text.length)) documents.push(toDocument(doc, version.splice(0)));
    return { documents, stopped: null };
  } catch {
    // The library gives up by exception only where its stack ends, which the depth limit should prevent.
    return {
      documents,
      stopped: problem('yaml-syntax', 'this cannot be read as YAML', { start: at, end: at + 1 }),
    };
  }
}

function toDocument(doc: Document.Parsed, version: readonly Problem[]): YamlDocument {
  const problems = doc.errors.map((error) => syntaxProblem(error.code, error.message, error.pos));
  const doubts = doc.warnings.map((warning) => syntaxProblem(warning.code, warning.message, warning.pos));
  return { doc, problems: [...version, ...problems], doubts };
}

/** A directive changes what the whole document means, so it is refused even where it would change nothing. */
function versionProblem(token: { readonly offset: number; readonly source: string }): Problem[] {
  const version = /^%YAML\s+(\S+)/.exec(token.source)?.[1];
  if (version === undefined || version === '1.2') return [];
  const message = `%YAML ${printable(version)} changes what yes, 014 and dates mean; documents are YAML 1.2: remove this line`;
  return [problem('yaml-version', message, { start: token.offset, end: token.offset + token.source.length })];
}

function syntaxProblem(code: string, message: string, pos: readonly [number, number]): Problem {
  switch (code) {
    case 'TAB_AS_INDENT':
      return problem('yaml-tab', 'YAML is indented with spaces, not tabs: replace this tab', range(pos));
    case 'TAG_RESOLVE_FAILED':
      return problem(
        'yaml-tag',
        `${sentence(message)}: only plain YAML is read here, remove the tag`,
        range(pos),
      );
    default:
      return problem('yaml-syntax', sentence(message), range(pos));
  }
}

function range([start, end]: readonly [number, number]): { readonly start: number; readonly end: number } {
  return { start, end: Math.max(end, start + 1) };
}

function sentence(message: string): string {
  return printable(message.slice(0, 1).toLowerCase() + message.slice(1, 300));
}

/** Tokens of the text; ends with the problem where the nesting is too deep, before anything recurses over it. */
function* tokens(text: string): Generator<CST.Token, Problem | null> {
  const parser = new Parser();
  let at = 0;
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > MAX_DEPTH) {
      return problem('too-deep', `nested more than ${MAX_DEPTH} levels deep here`, {
        start: at,
        end: at + 1,
      });
    }
    at += isMarker(lexeme) ? 0 : lexeme.length;
  }
  yield* parser.end();
  return null;
}

/** Lexemes that stand for a state and not for text: begin of a document, begin of a scalar, error. */
function isMarker(lexeme: string): boolean {
  return lexeme === '\u0002' || lexeme === '\u0018' || lexeme === '\u001F';
}
