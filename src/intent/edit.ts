/**
 * Changes one key of one App in the text of its file: what `deploy`, `rollback`, `suspend` and `resume` commit. All
 * other bytes stay as they are. Refuses, rather than guesses, where the key cannot be changed alone.
 */
import { isAlias, isMap, isScalar, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { err, failure, ok, type Result } from '../base/result.ts';
import { splitBom } from './decode.ts';
import { badRef } from './git-names.ts';
import { find, keyName, type Path } from './locate.ts';
import { readYaml } from './read-yaml.ts';
import { toValue } from './to-value.ts';
import { didYouMean, shown } from './words.ts';
import { keyLike, quotedLike, scalarText } from './write-scalar.ts';

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The file's text with another `source.ref` of that app. Fails with `app-not-in-file`, `bad-ref` or `edit-refused`. */
export function setAppRef(text: string, app: string, ref: string): Result<string> {
  const why = ref === '' ? 'it is empty' : badRef(ref);
  if (why !== null) return err(failure('bad-ref', `source.ref cannot be ${shown(ref)}: ${why}`));
  return setKey(text, app, { owner: ['source'], key: 'ref', after: 'repo', value: ref });
}

/** The file's text with that app suspended or resumed. Fails with `app-not-in-file` or `edit-refused`. */
export function setAppSuspend(text: string, app: string, suspended: boolean): Result<string> {
  return setKey(text, app, { owner: [], key: 'suspend', after: 'name', value: suspended });
}

interface Change {
  readonly owner: Path;
  readonly key: string;
  /** The key that a new one is written below. */
  readonly after: string;
  readonly value: string | boolean;
}

function setKey(text: string, app: string, change: Change): Result<string> {
  const { bom, rest } = splitBom(text);
  const before = values(rest);
  const index = before.findIndex((value) => isApp(value, app));
  if (index === -1)
    return err(
      failure('app-not-in-file', `there is no App ${shown(app)} in this file${nearest(app, before)}`),
    );
  if (valueAt(before[index], change) === change.value) return ok(text);
  if (change.value === false && valueAt(before[index], change) === undefined) return ok(text);
  const edit = editOf(rest, index, change);
  if (edit === null) return refused(app, change);
  const edited = `${rest.slice(0, edit.start)}${edit.text}${rest.slice(edit.end)}`;
  const after = values(edited);
  const wanted = before.map((value, at) => (at === index ? changed(value, change) : value));
  return JSON.stringify(after) === JSON.stringify(wanted) ? ok(`${bom}${edited}`) : refused(app, change);
}

function refused(app: string, { owner, key }: Change): Result<never> {
  const name = [...owner, key].join('.');
  return err(
    failure(
      'edit-refused',
      `${name} of ${shown(app)} cannot be changed alone here (an alias or an unusual layout): edit the file by hand`,
    ),
  );
}

function nearest(app: string, documents: readonly unknown[]): string {
  const names = documents.map((value) => child(value, 'name')).filter((name) => typeof name === 'string');
  return didYouMean(app, names);
}

/** The value of every document; also what proves afterwards that nothing else has changed. Sorted keys. */
function values(text: string): unknown[] {
  return readYaml(text).documents.map(({ doc, problems }) =>
    problems.length > 0 ? null : sorted(toValue(doc).value),
  );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}

function isApp(value: unknown, app: string): boolean {
  return child(value, 'kind') === 'App' && child(value, 'name') === app;
}

function valueAt(value: unknown, { owner, key }: Change): unknown {
  return child(
    owner.reduce((each: unknown, part) => child(each, String(part)), value),
    key,
  );
}

function changed(value: unknown, change: Change): unknown {
  const [first, ...others] = change.owner;
  const key = first === undefined ? change.key : String(first);
  const next = first === undefined ? change.value : changed(child(value, key), { ...change, owner: others });
  return sorted({ ...(value as Record<string, unknown>), [key]: next });
}

function child(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function editOf(text: string, index: number, change: Change): Edit | null {
  const doc = readYaml(text).documents[index]?.doc;
  const owner = doc === undefined ? null : find(doc, change.owner).value;
  if (!isMap(owner)) return null;
  const pair = pairOf(owner, change.key);
  if (pair !== undefined) return replacement(text, pair, change.value);
  const neighbour = pairOf(owner, change.after) ?? owner.items.at(-1);
  return neighbour === undefined ? null : insertion(text, owner, neighbour as Pair, change);
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return (map.items as Pair[]).find((pair) => keyName(pair.key) === key);
}

function replacement(text: string, pair: Pair, value: string | boolean): Edit | null {
  const node = pair.value;
  if (!isScalar(node) && !isAlias(node)) return null;
  const [start, end] = node.range ?? [0, 0];
  if (end <= start) {
    const [, keyEnd] = isScalar(pair.key) ? (pair.key.range ?? [0, 0]) : [0, 0];
    const colon = text.indexOf(':', keyEnd);
    return { start: colon + 1, end: colon + 1, text: ` ${scalarText(value, 'PLAIN')}` };
  }
  const style = isScalar(node) ? (node as Scalar).type : 'PLAIN';
  const tail = /\r?\n$/.exec(text.slice(start, end))?.[0] ?? '';
  return { start, end, text: `${scalarText(value, style)}${tail}` };
}

function insertion(text: string, owner: YAMLMap, neighbour: Pair, { key, value }: Change): Edit | null {
  if (!isScalar(neighbour.key)) return null;
  const written = `${keyLike(neighbour.key as Scalar, key)}: ${scalarText(value, quotedLike(neighbour.value))}`;
  const end = endOf(neighbour);
  if (end === null) return null;
  if (owner.flow === true) return { start: end, end, text: `, ${written}` };
  const indent = indentOf(text, neighbour.key as Scalar);
  if (indent === null) return null;
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  if (text[end - 1] === '\n') return { start: end, end, text: `${indent}${written}${newline}` };
  const lineEnd = text.indexOf('\n', end);
  return lineEnd === -1
    ? { start: text.length, end: text.length, text: `${newline}${indent}${written}` }
    : { start: lineEnd + 1, end: lineEnd + 1, text: `${indent}${written}${newline}` };
}

/** Where the value of a pair ends; null for an empty one. */
function endOf(pair: Pair): number | null {
  const { value } = pair;
  if (!isScalar(value) && !isAlias(value)) return null;
  return value.range?.[1] ?? null;
}

/** The blanks before a key; null when something else stands there. */
function indentOf(text: string, key: Scalar): string | null {
  const start = key.range?.[0] ?? 0;
  const before = text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
  return /^ *$/.test(before) ? before : null;
}
