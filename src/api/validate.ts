/** Path, query and body of a request against the route's schemas, with errors that name the field. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { err, failure, ok } from '../base/result.ts';
import type { Result } from '../base/result.ts';
import type { Route } from './route.ts';
import type { Schema } from './schema.ts';

export interface Inputs {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | number | boolean>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RawInputs {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** Fails with `invalid-request`; `details.field` names the first wrong field, `details.errors` all of them. */
export type Validate = (inputs: RawInputs) => Result<Inputs>;

export type Compile = (route: Route) => Validate;

/** Schemas are compiled when their route is first asked for: a daemon starts without paying for those it never needs. */
export function createCompile(): Compile {
  // The schemas are ours, and a test checks them: checking them here as well would double the cost.
  const words = new Ajv2020({ allErrors: true, coerceTypes: true, validateSchema: false });
  const strict = new Ajv2020({ allErrors: true, validateSchema: false });
  return (route) => {
    let validate: Validate | null = null;
    return (inputs) => {
      validate ??= compile(route, words, strict);
      return validate(inputs);
    };
  };
}

function compile(route: Route, words: Ajv2020, strict: Ajv2020): Validate {
  const params = words.compile(exactly(route.params ?? {}, true));
  const query = words.compile(exactly(route.query ?? {}, false));
  const body = strict.compile(route.body?.schema ?? { type: 'object', additionalProperties: false });
  return (inputs) => {
    const checked = {
      params: { ...inputs.params },
      query: Object.fromEntries(inputs.query),
      body: inputs.body,
    };
    const errors = [
      ...repeated(inputs.query),
      ...problems('path', params, checked.params),
      ...problems('query', query, checked.query),
      ...problems('body', body, checked.body),
    ];
    const first = errors[0];
    if (first === undefined) return ok(checked as Inputs);
    const message = errors.map((problem) => `${problem.field} ${problem.problem}`).join('; ');
    return err(failure('invalid-request', `${message}.`, { details: { field: first.field, errors } }));
  };
}

interface Problem {
  readonly field: string;
  readonly problem: string;
}

/** Which of two values counts is anybody's guess, and another reader may guess otherwise. */
function repeated(query: URLSearchParams): Problem[] {
  const names = [...new Set(query.keys())].filter((name) => query.getAll(name).length > 1);
  return names.map((name) => ({ field: `query.${name}`, problem: 'is given more than once' }));
}

function exactly(properties: Readonly<Record<string, Schema>>, required: boolean): Schema {
  return {
    type: 'object',
    properties,
    additionalProperties: false,
    required: required ? Object.keys(properties) : [],
  };
}

function problems(place: string, validate: ValidateFunction, value: unknown): Problem[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).slice(0, 10).map((error) => describe(place, error, validate.schema));
}

function describe(place: string, error: ErrorObject, schema: unknown): Problem {
  const field = `${place}${error.instancePath.replaceAll('/', '.')}`;
  const params: Readonly<Record<string, unknown>> = error.params;
  switch (error.keyword) {
    case 'required':
      return { field: `${field}.${String(params['missingProperty'])}`, problem: 'is required' };
    case 'additionalProperties':
      return {
        field: `${field}.${String(params['additionalProperty'])}`,
        problem: `is not known here (${known(schema)})`,
      };
    case 'enum':
      return {
        field,
        problem: `must be one of ${(params['allowedValues'] as readonly unknown[]).join(', ')}`,
      };
    case 'pattern':
      return { field, problem: `does not have the form ${String(params['pattern'])}` };
    default:
      return { field, problem: error.message ?? 'is not as expected' };
  }
}

function known(schema: unknown): string {
  const properties =
    typeof schema === 'object' && schema !== null && 'properties' in schema ? schema.properties : {};
  const names = Object.keys(properties as object);
  return names.length === 0 ? 'none is taken' : `known: ${names.join(', ')}`;
}
