/** The route table as OpenAPI 3.1. Pure. */
import { meaningOf } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import { ANSWERS } from './answers.ts';
import type { Route } from './route.ts';
import { ref } from './schema.ts';
import type { Schema } from './schema.ts';

export function openApi(routes: readonly Route[], version: string): Schema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Mainstay',
      version,
      description:
        'Every answer carries X-Correlation-Id. Errors are {code, message, retriable, retry_after_ms?, details?}.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: ANSWERS,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        basic: {
          type: 'http',
          scheme: 'basic',
          description: "Git's way: any user name, the token as password.",
        },
      },
    },
  };
}

function operation(route: Route): Schema {
  return {
    operationId: route.id,
    summary: route.summary,
    ...(route.roles === 'open' ? { security: [] } : { 'x-roles': route.roles }),
    ...(route.credentials === 'basic' ? { security: [{ basic: [] }, { bearer: [] }] } : {}),
    parameters: parameters(route),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: route.body.required,
            content: { 'application/json': { schema: route.body.schema } },
          },
        }),
    responses: { [String(route.answer.status)]: success(route), ...errors(route) },
  };
}

function parameters(route: Route): readonly Schema[] {
  return [
    ...Object.entries(route.params ?? {}).map(([name, schema]) => ({
      name,
      in: 'path',
      required: true,
      schema,
    })),
    ...Object.entries(route.query ?? {}).map(([name, schema]) => ({
      name,
      in: 'query',
      required: false,
      schema,
    })),
    { name: 'X-Correlation-Id', in: 'header', required: false, schema: { type: 'string', maxLength: 128 } },
  ];
}

function success({ answer }: Route): Schema {
  const other = Object.fromEntries(
    (answer.types ?? []).map((type) => [type, { schema: { type: 'string' } }]),
  );
  const asJson = answer.schema === null ? {} : { 'application/json': { schema: answer.schema } };
  return { description: answer.description, content: { ...asJson, ...other } };
}

/** By status, with the codes that it can mean here. */
function errors(route: Route): Schema {
  const codes = [...new Set([...commonCodes(route), ...route.errors])];
  const byStatus = Map.groupBy(codes, (code) => meaningOf(code).status);
  const content = { 'application/json': { schema: ref('Error') } };
  const rest: Schema = { default: { description: 'Any other failure; codes in docs/errors.md', content } };
  const known = [...byStatus].map(([status, own]): [string, Schema] => [
    String(status),
    { description: own.map((code) => `\`${code}\`: ${meaningOf(code).meaning}`).join(' '), content },
  ]);
  return { ...Object.fromEntries(known), ...rest };
}

function commonCodes(route: Route): readonly ErrorCode[] {
  const access: readonly ErrorCode[] =
    route.roles === 'open'
      ? []
      : ['token-required', 'token-invalid', 'token-expired', 'token-revoked', 'forbidden'];
  const body: readonly ErrorCode[] =
    route.body === undefined ? [] : ['invalid-json', 'body-too-large', 'body-timeout'];
  return [...access, ...body, 'invalid-request', 'internal'];
}
