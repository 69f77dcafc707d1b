/** Path, query and body of a request against the route's schemas, with errors that name the field. */
import { err, failure, ok } from '../base/result.ts';
import type { Result } from '../base/result.ts';
import type { SchemaError, Validator } from '../intent/validator.ts';
import { inputSchemas } from './input-schemas.ts';
import type { Route } from './route.ts';
import type { Schema } from './schema.ts';
import { INPUTS } from './validators.gen.ts';

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

/** Made by `npm run gen`; see schemas/input-validators.ts. */
export interface InputValidators {
  readonly params: Validator;
  readonly query: Validator;
  readonly body: Validator;
}

export function inputsOf(route: Route): Validate {
  const validators = INPUTS[route.id];
  if (validators === undefined) throw new Error(`no validators of ${route.id}: run \`npm run gen\``);
  const schemas = inputSchemas(route);
  return (inputs) => {
    const checked = {
      params: { ...inputs.params },
      query: Object.fromEntries(inputs.query),
      body: inputs.body,
    };
    const errors = [
      ...repeated(inputs.query),
      ...problems('path', validators.params, checked.params, schemas.params),
      ...problems('query', validators.query, checked.query, schemas.query),
      ...problems('body', validators.body, checked.body, schemas.body),
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

function problems(place: string, validate: Validator, value: unknown, schema: Schema): Problem[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).slice(0, 10).map((error) => describe(place, error, schema));
}

function describe(place: string, error: SchemaError, schema: Schema): Problem {
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

function known({ properties }: Schema): string {
  const names = Object.keys((properties ?? {}) as object);
  return names.length === 0 ? 'none is taken' : `known: ${names.join(', ')}`;
}
