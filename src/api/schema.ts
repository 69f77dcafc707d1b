/** JSON Schema as data (2020-12), with a few words to write it shortly. */
import { NAME_PATTERN } from '../model/ids.ts';

export type Schema = Readonly<Record<string, unknown>>;

export const text: Schema = { type: 'string' };
export const textOrNull: Schema = { type: ['string', 'null'] };
export const flag: Schema = { type: 'boolean' };
export const integer: Schema = { type: 'integer' };
export const integerOrNull: Schema = { type: ['integer', 'null'] };
/** RFC 3339, or empty where there is nothing. */
export const time: Schema = {
  type: 'string',
  description: 'RFC 3339 in UTC; empty when there is nothing to say.',
};

export function says(schema: Schema, description: string): Schema {
  return { ...schema, description };
}

export function list(items: Schema): Schema {
  return { type: 'array', items };
}

export function map(values: Schema): Schema {
  return { type: 'object', additionalProperties: values };
}

export function oneOf(...values: readonly string[]): Schema {
  return { type: 'string', enum: values };
}

export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** An object that has all of `required`, may have `optional`, and has nothing else. */
export function object(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  return {
    type: 'object',
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

/** Every list is `{items, next}`. */
export function page(items: Schema): Schema {
  return object({ items: list(items), next: textOrNull });
}

// ---------------------------------------------------------------- inputs

export const nameInput: Schema = { type: 'string', pattern: NAME_PATTERN, maxLength: 63 };
/** `web` or `web.2`. */
export const unitInput: Schema = {
  type: 'string',
  pattern: `${NAME_PATTERN.slice(0, -1)}(\\.[1-9][0-9]{0,5})?$`,
  maxLength: 70,
};
/** A commit, branch or tag; never something that git could take for an option. */
export const refInput: Schema = {
  type: 'string',
  pattern: '^[^-\\u0000-\\u0020\\u007f][^\\u0000-\\u0020\\u007f]*$',
  minLength: 1,
  maxLength: 255,
};
/** `30s`, `500ms`, `2m`. */
export const durationInput: Schema = { type: 'string', pattern: '^[0-9]{1,6}(ms|s|m|h)?$', maxLength: 10 };
