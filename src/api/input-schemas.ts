/** What a route takes, as one schema each for path, query and body. Compiled by `npm run gen` into validators.gen.ts. */
import type { Route } from './route.ts';
import type { Schema } from './schema.ts';

export interface InputSchemas {
  readonly params: Schema;
  readonly query: Schema;
  readonly body: Schema;
}

export function inputSchemas(route: Route): InputSchemas {
  return {
    params: exactly(route.params ?? {}, true),
    query: exactly(route.query ?? {}, false),
    body: route.body?.schema ?? { type: 'object', additionalProperties: false },
  };
}

function exactly(properties: Readonly<Record<string, Schema>>, required: boolean): Schema {
  return {
    type: 'object',
    properties,
    additionalProperties: false,
    required: required ? Object.keys(properties) : [],
  };
}
