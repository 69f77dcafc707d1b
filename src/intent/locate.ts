/** Where in the text a key or a value of a document stands. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';

/** A place in a document: keys and list indexes from its root. */
export type Path = readonly (string | number)[];

export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** The nodes at a path; null where the document holds nothing. */
export interface Found {
  readonly key: Node | null;
  readonly value: Node | null;
}

/** What a node covers, at least one character. */
export function nodeRange(node: Node): TextRange {
  const [start, end] = node.range ?? [0, 1];
  return { start, end: Math.max(end, start + 1) };
}

/** A key as text; null when it is none. 1 and "1" are the same key. */
export function keyName(key: unknown): string | null {
  if (!isScalar(key) || key.value === null || key.value === '') return null;
  return typeof key.value === 'string' ? key.value : (key.source ?? JSON.stringify(key.value));
}

/** The nodes at a path, aliases followed. */
export function find(doc: Document.Parsed, path: Path): Found {
  let found: Found = { key: null, value: doc.contents };
  for (const segment of path) found = step(followed(found.value, doc), segment);
  return found;
}

/** The range of the value at a path; of its key when the value is empty or a block that spans lines. */
export function valueRange(doc: Document.Parsed, path: Path): TextRange {
  if (path.length === 0) return rootRange(doc);
  const { key, value } = find(doc, path);
  const [start, end] = value?.range ?? [0, 0];
  const block = (isMap(value) || isSeq(value)) && value.flow !== true;
  if (value !== null && end > start && !(block && key !== null)) return nodeRange(value);
  return key === null ? valueRange(doc, path.slice(0, -1)) : nodeRange(key);
}

/** The range of the key at a path; of what holds it when there is none. */
export function keyRange(doc: Document.Parsed, path: Path): TextRange {
  const { key } = find(doc, path);
  return key === null ? valueRange(doc, path) : nodeRange(key);
}

/** Stands for a whole document: its `kind` key, else its first key, else its start. */
function rootRange(doc: Document.Parsed): TextRange {
  const root = doc.contents;
  if (!isMap(root)) return { start: doc.range[0], end: doc.range[0] + 1 };
  const key = find(doc, ['kind']).key ?? root.items[0]?.key;
  return isScalar(key) ? nodeRange(key) : nodeRange(root);
}

/** Looked up once a mapping: thousands of complaints about one mapping must not search it thousands of times. */
const pairsByMap = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

function pairsOf(map: YAMLMap): ReadonlyMap<string, Pair> {
  const known = pairsByMap.get(map);
  if (known !== undefined) return known;
  const pairs = new Map<string, Pair>();
  for (const pair of map.items as Pair[]) {
    const name = keyName(pair.key);
    // The first of duplicates: it is the one whose value counts.
    if (name !== null && !pairs.has(name)) pairs.set(name, pair);
  }
  pairsByMap.set(map, pairs);
  return pairs;
}

function step(node: Node | null, segment: string | number): Found {
  if (isSeq(node)) {
    const item = node.items[Number(segment)];
    return { key: null, value: asNode(item) };
  }
  if (!isMap(node)) return { key: null, value: null };
  const pair = pairsOf(node).get(String(segment));
  return { key: asNode(pair?.key), value: asNode(pair?.value) };
}

function followed(node: Node | null, doc: Document.Parsed): Node | null {
  return isAlias(node) ? (node.resolve(doc) ?? null) : node;
}

function asNode(value: unknown): Node | null {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value) ? value : null;
}
