import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { backendNames } from '../../../backends/registry.ts';

test.each(['app', 'system'])('intent may name exactly the backends of the registry (%s)', (kind) => {
  const schema = JSON.parse(readFileSync(`schemas/${kind}.schema.json`, 'utf8')) as {
    readonly properties: { readonly backend: { readonly enum: readonly string[] } };
  };

  expect(schema.properties.backend.enum).toEqual(backendNames());
});
