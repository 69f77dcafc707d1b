/** A value against the schema of its kind: every complaint, each at its place and in words that say what to do. */
import type { Document } from 'yaml';
import type { DiagnosticCode } from './codes.ts';
import type { Kind } from './kinds.ts';
import { problem, type Problem } from './lines.ts';
import { keyRange, type Path, type TextRange, valueRange } from './locate.ts';
import type { SchemaError } from './validator.ts';
import { didYouMean, list, shown } from './words.ts';

/** One complaint with what it takes to place and word it. */
interface Complaint {
  readonly error: SchemaError;
  readonly kind: Kind;
  readonly path: Path;
  readonly value: unknown;
}

/** Checks and fills in the schema's defaults, in place. */
export function validate(doc: Document.Parsed, value: unknown, kind: Kind): Problem[] {
  if (kind.validate(value)) return [];
  const errors = withoutBranches(kind.validate.errors ?? []);
  return errors.flatMap((error) => {
    const path = toPath(error.instancePath, value);
    const said = explain({ error, kind, path, value: valueAt(value, path) });
    return said === null ? [] : [problem(said.code, said.message, rangeOf(doc, path, said))];
  });
}

interface Said {
  readonly code: DiagnosticCode;
  readonly message: string;
  /** Underline the key of this name below the path, or the key at the path (''), instead of the value. */
  readonly key?: string;
}

function rangeOf(doc: Document.Parsed, path: Path, said: Said): TextRange {
  if (said.key === undefined) return valueRange(doc, path);
  return keyRange(doc, said.key === '' ? path : [...path, said.key]);
}

function explain(complaint: Complaint): Said | null {
  const { error, path, value } = complaint;
  const name = nameOf(path);
  switch (error.keyword) {
    case 'required':
      return missing(complaint);
    case 'additionalProperties':
      return unknown(complaint);
    case 'propertyNames':
      return badKey(complaint);
    case 'not': {
      const message = `${name} is not supported yet by this version of Mainstay: remove it`;
      return { code: 'not-supported-yet', message, key: '' };
    }
    case 'type':
      return {
        code: 'wrong-type',
        message: `${name} must be ${typeWords(error.params['type'])}, not ${shown(value)}${typeHint(error, value)}`,
      };
    case 'anyOf':
      return {
        code: 'wrong-type',
        message: `${name} must be a text or a list of texts, not ${shown(value)}`,
      };
    case 'enum':
    case 'const':
      return oneOf(complaint);
    case 'pattern':
      return badPattern(complaint);
    default:
      return {
        code: 'out-of-range',
        message: `${name} ${limit(error)}${typeof value === 'number' ? `, not ${value}` : ''}`,
      };
  }
}

function missing({ error, kind, path, value }: Complaint): Said {
  const key = String(error.params['missingProperty']);
  const owner = path.length === 0 ? kind.name : nameOf(path);
  const given = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  return {
    code: 'missing-key',
    message: `${owner} needs the key \`${key}\`${hintFromTypo(key, given)}`,
    key: '',
  };
}

/** A key in another spelling is reported as unknown anyway; here only say that it does not count. */
function hintFromTypo(key: string, given: readonly string[]): string {
  const flat = (word: string): string => word.toLowerCase().replaceAll(/[_-]/g, '');
  const typo = given.find((each) => each !== key && flat(each) === flat(key));
  return typo === undefined ? '' : ` (${shown(typo)} is not read)`;
}

function unknown({ error, kind, path }: Complaint): Said {
  const key = String(error.params['additionalProperty']);
  const known = kind.notes.keys[error.schemaPath] ?? [];
  const where = path.length === 0 ? kind.name : nameOf(path);
  const help = didYouMean(key, known) || `: known are ${list(known)}`;
  return { code: 'unknown-key', message: `unknown key ${shown(key)} in ${where}${help}`, key };
}

function badKey({ error, kind, path }: Complaint): Said {
  const key = String(error.params['propertyName']);
  const why = kind.notes.patterns[`${error.schemaPath}/pattern`] ?? 'it does not fit';
  return { code: 'wrong-format', message: `${shown(key)} cannot be a key of ${nameOf(path)}: ${why}`, key };
}

function badPattern({ error, kind, path, value }: Complaint): Said | null {
  // The complaint about the key itself follows as `propertyNames`.
  if (error.propertyName !== undefined) return null;
  const why = kind.notes.patterns[error.schemaPath] ?? `it must match ${String(error.params['pattern'])}`;
  return { code: 'wrong-format', message: `${nameOf(path)} cannot be ${shown(value)}: ${why}` };
}

function oneOf({ error, path, value }: Complaint): Said {
  const allowed = error.params['allowedValues'] ?? [error.params['allowedValue']];
  const words = (Array.isArray(allowed) ? allowed : []).map(String);
  const help = typeof value === 'string' ? didYouMean(value, words) : '';
  return {
    code: 'wrong-value',
    message: `${nameOf(path)} must be ${list(words, 'or')}, not ${shown(value)}${help}`,
  };
}

function typeWords(type: unknown): string {
  const words: Readonly<Record<string, string>> = {
    string: 'a text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a mapping',
  };
  return words[String(type)] ?? String(type);
}

function typeHint(error: SchemaError, value: unknown): string {
  const type = error.params['type'];
  if (type === 'string' && (typeof value === 'number' || typeof value === 'boolean'))
    return ': write it in quotes';
  if (type === 'boolean' && typeof value === 'string' && /^(yes|no|on|off|true|false)$/i.test(value)) {
    return ': YAML 1.2 knows only true and false, without quotes';
  }
  if ((type === 'integer' || type === 'number') && typeof value === 'string' && /^[0-9]+$/.test(value)) {
    return ': write it without quotes';
  }
  if (type === 'array' && typeof value === 'string') return ': write it as a list item, after "- "';
  return '';
}

function limit(error: SchemaError): string {
  const bound = String(error.params['limit']);
  const words: Readonly<Record<string, string>> = {
    minimum: `must be at least ${bound}`,
    maximum: `must be at most ${bound}`,
    minLength: bound === '1' ? 'must not be empty' : `must have at least ${bound} characters`,
    maxLength: `must have at most ${bound} characters`,
    minItems: bound === '1' ? 'must not be empty' : `must have at least ${bound} items`,
    maxItems: `must have at most ${bound} items`,
    maxProperties: `must have at most ${bound} keys`,
  };
  return words[error.keyword] ?? error.message ?? 'is not valid';
}

/** Of alternatives, keeps what is wrong in the one that was meant, or one complaint about all. */
function withoutBranches(errors: readonly SchemaError[]): SchemaError[] {
  const unions = errors.filter((error) => error.keyword === 'anyOf');
  const branchOf = (error: SchemaError): SchemaError | undefined =>
    unions.find(
      (union) =>
        error !== union && error.schemaPath.startsWith(`${union.schemaPath}/`) && within(error, union),
    );
  const telling = (error: SchemaError, union: SchemaError): boolean =>
    error.keyword !== 'type' || error.instancePath !== union.instancePath;
  const told = new Set(
    errors
      .map((error) => [error, branchOf(error)] as const)
      .flatMap(([error, union]) => (union !== undefined && telling(error, union) ? [union] : [])),
  );
  return errors.filter((error) => {
    const union = branchOf(error);
    return union === undefined ? !told.has(error) : telling(error, union);
  });
}

function within(error: SchemaError, union: SchemaError): boolean {
  return error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`);
}

function toPath(pointer: string, root: unknown): Path {
  const path: (string | number)[] = [];
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = child(value, key);
  }
  return path;
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => child(value, String(key)), root);
}

function child(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

/** `source.repo`, `hosts[1]`; for the document itself, `the document`. */
function nameOf(path: Path): string {
  if (path.length === 0) return 'the document';
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  return shown(text.slice(1));
}
