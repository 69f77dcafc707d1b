/**
 * A YAML document to a plain value, refusing what means something else than it looks like: duplicate keys (1 and "1"
 * too), merge keys, keys that reach into JavaScript's own, numbers that lose digits, aliases that multiply.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import type { DiagnosticCode } from './codes.ts';
import { keyName, nodeRange } from './locate.ts';
import { problem, type Problem } from './lines.ts';
import { shown } from './words.ts';

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);
const MAX_ALIASES = 50;
/** Values that aliases may repeat, all together. */
const MAX_REPEATED = 10_000;

interface Anchor {
  readonly value: unknown;
  /** Nodes below it; null while it is still being read. */
  readonly size: number | null;
}

interface Walk {
  readonly problems: Problem[];
  readonly anchors: Map<string, Anchor>;
  nodes: number;
  aliases: number;
  repeated: number;
  /** Too many aliases are said once. */
  refused: boolean;
}

/** The value of a document, and every trap in it. With problems the value is only good for naming things. */
export function toValue(doc: Document.Parsed): {
  readonly value: unknown;
  readonly problems: readonly Problem[];
} {
  const walk: Walk = { problems: [], anchors: new Map(), nodes: 0, aliases: 0, repeated: 0, refused: false };
  return { value: convert(doc.contents, walk), problems: walk.problems };
}

function convert(node: unknown, walk: Walk): unknown {
  walk.nodes += 1;
  if (isAlias(node)) return aliased(node, walk);
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return null;
  const { anchor } = node;
  if (anchor === undefined) return contents(node, walk);
  const before = walk.nodes;
  walk.anchors.set(anchor, { value: null, size: null });
  const value = contents(node, walk);
  walk.anchors.set(anchor, { value, size: walk.nodes - before + 1 });
  return value;
}

function contents(node: Node, walk: Walk): unknown {
  if (isMap(node)) return mapping(node, walk);
  if (isSeq(node)) return node.items.map((item) => convert(item, walk));
  return isScalar(node) ? scalar(node, node.value, walk) : null;
}

function scalar(node: Node, value: unknown, walk: Walk): unknown {
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value)) {
    walk.problems.push(problem('number-out-of-range', 'this is not a finite number', nodeRange(node)));
  } else if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    const message =
      'this number loses digits when it is read: write it in quotes if it is a text, or make it smaller';
    walk.problems.push(problem('number-out-of-range', message, nodeRange(node)));
  }
  return value;
}

function mapping(node: YAMLMap, walk: Walk): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  const seen = new Set<string>();
  for (const pair of node.items) {
    const name = keyName(pair.key);
    const at = isKeyNode(pair.key) ? nodeRange(pair.key) : nodeRange(node);
    if (name === null) {
      walk.problems.push(
        problem('invalid-key', 'a key must be a plain text, not empty and not a list or mapping', at),
      );
    } else if (name === '<<') {
      const message = 'merge keys (<<) are not part of YAML 1.2 and not read: write the keys out';
      walk.problems.push(problem('yaml-merge-key', message, at));
    } else if (FORBIDDEN.has(name)) {
      walk.problems.push(
        problem('forbidden-key', `the key ${shown(name)} is not allowed: choose another name`, at),
      );
    } else if (seen.has(name)) {
      walk.problems.push(
        problem('duplicate-key', `the key ${shown(name)} is given twice in one mapping: keep one`, at),
      );
    } else {
      seen.add(name);
      value[name] = convert(pair.value, walk);
      continue;
    }
    convert(pair.value, walk);
  }
  return value;
}

function isKeyNode(key: unknown): key is Node {
  return isScalar(key) || isAlias(key) || isMap(key) || isSeq(key);
}

function aliased(node: Node & { readonly source: string }, walk: Walk): unknown {
  const refuse = (code: DiagnosticCode, message: string): null => {
    walk.problems.push(problem(code, message, nodeRange(node)));
    return null;
  };
  const anchor = walk.anchors.get(node.source);
  if (anchor === undefined) return refuse('invalid-alias', `there is no &${node.source} before this alias`);
  if (anchor.size === null) return refuse('invalid-alias', `*${node.source} stands inside itself`);
  walk.aliases += 1;
  walk.repeated += anchor.size;
  walk.nodes += anchor.size;
  if (walk.aliases <= MAX_ALIASES && walk.repeated <= MAX_REPEATED) return anchor.value;
  if (walk.refused) return null;
  walk.refused = true;
  return refuse(
    'too-many-aliases',
    `aliases repeat too much here: at most ${MAX_ALIASES} of them in a document`,
  );
}
