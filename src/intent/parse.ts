/**
 * One blob to its documents: which files count, decoding, YAML, kinds, schema, and what one document says wrong by
 * itself. Knows no other file; see resolve.ts for what documents say about each other.
 */
import { isMap } from 'yaml';
import type { ParsedFile, SourceFile } from './file.ts';
import { checkApp } from './check-app.ts';
import { decode, splitBom } from './decode.ts';
import { finish } from './finish.ts';
import { type Kind, KINDS, KINDS_NOT_YET } from './kinds.ts';
import { problem, type Problem, toDiagnostics } from './lines.ts';
import { find, keyRange, valueRange } from './locate.ts';
import { readYaml, type YamlDocument } from './read-yaml.ts';
import { toValue } from './to-value.ts';
import { validate } from './validate.ts';
import { didYouMean, list, nearestWord, shown } from './words.ts';

/** Largest document file, in bytes; also what callers pass as the limit when they read blobs. */
export const MAX_FILE_BYTES = 262_144;

const MAX_PROBLEMS = 100;

/** Whether a path of the repository is read for documents: *.yaml and *.yml, but below no folder with a leading dot. */
export function isIntentPath(path: string): boolean {
  if (!/\.ya?ml$/.test(path)) return false;
  return !path.split('/').some((part, index, parts) => part.startsWith('.') && index < parts.length - 1);
}

/** Reads one file. Never throws, takes time linear in the file, and gives every error, not only the first. */
export function parseFile(file: SourceFile): ParsedFile {
  const refusal = refused(file);
  if (refusal !== null || !(file.content instanceof Uint8Array)) return unreadable(file, '', refusal);
  const decoded = decode(file.content);
  const text = splitBom(decoded.text).rest;
  if (decoded.problem !== null) return unreadable(file, text, decoded.problem);
  const reading = readDocuments(text);
  return {
    path: file.path,
    oid: file.oid,
    documents: reading.documents,
    diagnostics: toDiagnostics(file.path, text, capped(reading.problems)),
    broken: reading.broken,
    text,
  };
}

function refused({ mode, content }: SourceFile): Problem | null {
  const start = { start: 0, end: 1 };
  if (mode === '120000')
    return problem('not-a-file', 'this is a symbolic link: documents are files, put it here itself', start);
  if (mode === '160000')
    return problem('not-a-file', 'this is a submodule: documents are files of this repository', start);
  if (content === 'missing') return problem('file-unreadable', 'git has no contents for this file', start);
  if (content === 'too-large' || content.length > MAX_FILE_BYTES) {
    return problem(
      'file-too-large',
      `the file is larger than ${MAX_FILE_BYTES / 1024} KiB: divide it`,
      start,
    );
  }
  return null;
}

function unreadable({ path, oid }: SourceFile, text: string, why: Problem | null): ParsedFile {
  const diagnostics = toDiagnostics(path, text, why === null ? [] : [why]);
  return { path, oid, documents: [], diagnostics, broken: [null], text };
}

interface Reading {
  readonly problems: Problem[];
  readonly documents: ParsedFile['documents'][number][];
  readonly broken: (string | null)[];
}

function readDocuments(text: string): Reading {
  const reading: Reading = { problems: [], documents: [], broken: [] };
  const file = readYaml(text);
  for (const [index, document] of file.documents.entries()) readDocument(document, index, reading);
  if (file.stopped !== null) {
    reading.problems.push(file.stopped);
    reading.broken.push(null);
  } else if (!file.documents.some(({ doc, problems }) => problems.length > 0 || isMap(doc.contents))) {
    const message = 'the file holds no document with a `kind` and is ignored';
    reading.problems.push({ severity: 'warning', code: 'no-kind', message, start: 0, end: 1 });
  }
  return reading;
}

function readDocument({ doc, problems, doubts }: YamlDocument, index: number, reading: Reading): void {
  if (problems.length > 0) {
    report(reading, problems);
    reading.broken.push(null);
    return;
  }
  if (!isMap(doc.contents)) return;
  const kindNode = find(doc, ['kind']);
  if (kindNode.key === null) {
    reading.problems.push(
      noKind(
        doc.contents.items.map(({ key }) => key),
        keyRange(doc, []),
      ),
    );
    return;
  }
  const { value, problems: traps } = toValue(doc);
  const { kind: word, name } = value as { readonly kind?: unknown; readonly name?: unknown };
  const kind = typeof word === 'string' ? KINDS.get(word) : undefined;
  // What a trap made of a value is not worth a second complaint at the same place.
  const trapped = new Set(traps.map(({ start }) => start));
  const more =
    kind === undefined ? [unknownKind(word, valueRange(doc, ['kind']))] : checkDocument(doc, value, kind);
  const found = [...doubts, ...traps, ...more.filter(({ start }) => !trapped.has(start))];
  if (kind !== undefined && found.length === 0)
    reading.documents.push({ document: finish(kind, value), index });
  else reading.broken.push(typeof name === 'string' ? name : word === 'System' ? 'system' : null);
  report(reading, found);
}

function checkDocument(doc: YamlDocument['doc'], value: unknown, kind: Kind): Problem[] {
  return [...validate(doc, value, kind), ...(kind.name === 'App' ? checkApp(doc, value) : [])];
}

function noKind(keys: readonly unknown[], at: { readonly start: number; readonly end: number }): Problem {
  const words = keys.map((key) => String(key)).slice(0, 100);
  const near = words.find((word) => nearestWord(word, ['kind']) !== null);
  const help = near === undefined ? '' : `: is ${shown(near)} meant to be \`kind\`?`;
  const message = `this document has no \`kind\` and is ignored${help}`;
  return { severity: 'warning', code: 'no-kind', message, ...at };
}

function unknownKind(word: unknown, at: { readonly start: number; readonly end: number }): Problem {
  const known = [...KINDS.keys()];
  if (typeof word === 'string' && KINDS_NOT_YET.includes(word)) {
    const message = `kind ${word} is not supported yet by this version of Mainstay (${list(known)} are): remove the document`;
    return problem('kind-not-supported-yet', message, at);
  }
  const help = typeof word === 'string' ? didYouMean(word, [...known, ...KINDS_NOT_YET]) : '';
  return problem('unknown-kind', `unknown kind ${shown(word)}${help || `: known are ${list(known)}`}`, at);
}

/** Not by spreading into a call: there may be as many problems as the file has bytes. */
function report(reading: Reading, problems: readonly Problem[]): void {
  for (const each of problems) reading.problems.push(each);
}

/** In order; a file of thousands of errors is answered with the first of them. */
function capped(problems: readonly Problem[]): readonly Problem[] {
  const sorted = problems.toSorted((a, b) => a.start - b.start);
  const last = sorted[MAX_PROBLEMS];
  if (last === undefined) return sorted;
  const severity = sorted.some((each) => each.severity === 'error') ? 'error' : 'warning';
  const message = `${sorted.length - MAX_PROBLEMS} further problems in this file are not shown`;
  return [...sorted.slice(0, MAX_PROBLEMS), { ...last, severity, code: 'too-many-errors', message }];
}
