/**
 * Text to YAML 1.2 documents with positions, in bounded time: too deep a nesting is found before anything recurses
 * over it, and the library's quadratic checks are off (to-value.ts has its own). Says nothing about meaning.
 */
import { Composer, type CST, type Document, Parser } from 'yaml';
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
    for (const token of new Parser().parse(text)) {
      at = token.offset;
      const deep = tooDeep(token);
      if (deep !== null) return { documents, stopped: deep };
      for (const doc of composer.next(token)) documents.push(toDocument(doc, version.splice(0)));
      if (token.type === 'directive') version.push(...versionProblem(token));
    }
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

/** Walks the token tree without recursion. */
function tooDeep(token: CST.Token): Problem | null {
  const open: { readonly token: CST.Token; readonly depth: number }[] = [{ token, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const depth = 'items' in next.token ? next.depth + 1 : next.depth;
    if (depth > MAX_DEPTH) {
      const { offset } = next.token;
      return problem('too-deep', `nested more than ${MAX_DEPTH} levels deep`, {
        start: offset,
        end: offset + 1,
      });
    }
    for (const child of children(next.token)) open.push({ token: child, depth });
  }
  return null;
}

function children(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (!('items' in token)) return [];
  const found: CST.Token[] = [];
  for (const item of token.items) {
    if (item.key !== undefined && item.key !== null) found.push(item.key);
    if (item.value !== undefined) found.push(item.value);
  }
  return found;
}
