/** The description is whole and true: every reference resolves, every answer of a real server fits its schema. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANSWERS } from '../../../src/api/answers.ts';
import { openApi } from '../../../src/api/openapi.ts';
import { ROUTES } from '../../../src/api/routes.ts';
import type { Schema } from '../../../src/api/schema.ts';
import { ABC } from '../../fakes/control-plane.ts';
import { startApi } from './start-api.ts';
import type { TestApi } from './start-api.ts';

interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
}

let api: TestApi;
let description: Description;

beforeAll(async () => {
  api = await startApi();
  description = (await (await api.fetch('/openapi.json')).json()) as Description;
});

afterAll(() => api.stop());

test('every route is in it, under an id of its own', () => {
  const described = Object.values(description.paths).flatMap((methods) =>
    Object.values(methods).map((o) => o.operationId),
  );

  expect(description.openapi).toBe('3.1.0');
  expect(described.toSorted()).toEqual(ROUTES.map((route) => route.id).toSorted());
  expect(new Set(described).size).toBe(described.length);
});

test('every reference resolves', () => {
  const refs = [...JSON.stringify(description).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
    (match) => match[1] ?? '',
  );

  expect(refs.length).toBeGreaterThan(20);
  expect(refs.filter((name) => !(name in ANSWERS))).toEqual([]);
});

/** Schemas refer to each other as the document does. */
function compile(schema: Schema): ValidateFunction {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
  ajv.addKeyword('components');
  return ajv.compile({ ...schema, components: { schemas: ANSWERS } });
}

test.each(Object.keys(ANSWERS))('schema %s compiles', (name) => {
  expect(compile({ $ref: `#/components/schemas/${name}` })).toBeTypeOf('function');
});

test.each(ROUTES.map((route) => [route.id, route] as const))(
  'inputs of %s compile',
  (_id, { params, query, body }) => {
    for (const schema of [
      ...Object.values(params ?? {}),
      ...Object.values(query ?? {}),
      body?.schema ?? {},
    ]) {
      expect(compile(schema)).toBeTypeOf('function');
    }
  },
);

test('what is served equals what the code says', () => {
  expect(description).toEqual(JSON.parse(JSON.stringify(openApi(ROUTES, '0.0.0'))));
});

const json = ROUTES.filter((route) => route.answer.schema !== null && route.id !== 'revokeToken');

test.each(json.map((route) => [route.id, route] as const))('%s answers as described', async (_id, route) => {
  api.control.emit('something', { unit: 'web', commit: ABC, data: { n: 1 } });
  const path = route.path.replace('{commit}', ABC).replaceAll(/\{\w+\}/g, 'web');
  const bodies: Readonly<Record<string, unknown>> = {
    deploy: { commit: ABC },
    deployApp: { commit: ABC },
    createToken: { role: 'viewer' },
  };
  const query = route.id === 'events' ? '?limit=10&after=0' : '';
  const response = await api.fetch(path + query, {
    method: route.method,
    headers: { ...api.as('operator'), accept: 'application/json' },
    ...(route.body === undefined ? {} : { body: JSON.stringify(bodies[route.id] ?? {}) }),
  });
  const validate = compile(route.answer.schema ?? {});
  const body: unknown = await response.json();

  expect(response.status).toBe(route.answer.status);
  expect(validate(body), JSON.stringify([validate.errors, body])).toBe(true);
});

test('errors answer as described too', async () => {
  const validate = compile({ $ref: '#/components/schemas/Error' });

  for (const path of ['/no', '/status?app=nobody', '/v1/history?limit=x', '/v1/commits/unknown']) {
    const body: unknown = await (await api.fetch(path)).json();
    expect(validate(body), JSON.stringify([validate.errors, body])).toBe(true);
  }
});
