/** The table in docs/security.md is the route table: what is promised there is what the doors do. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROUTES } from '../../../src/api/routes.ts';
import { ROLES } from '../../../src/model/token.ts';
import type { Role } from '../../../src/model/token.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/security.md'), 'utf8');

function row(name: string, roles: readonly Role[] | 'open'): string {
  const cells = ROLES.map((role) => (roles === 'open' || roles.includes(role) ? 'yes' : '-'));
  return `| \`${name}\` | ${roles === 'open' ? 'yes' : '-'} | ${cells.join(' | ')} |`;
}

test('docs/security.md has exactly the routes and roles there are', () => {
  const expected = ROUTES.flatMap(({ method, path, roles, rolesWhen }) => [
    row(`${method} ${path}`, roles),
    ...(rolesWhen === undefined
      ? []
      : [row(`${method} ${path}?${rolesWhen.query}=${rolesWhen.equals}`, rolesWhen.roles)]),
  ]);

  expect(page).toContain(`| route | no token | ${ROLES.join(' | ')} |`);
  expect(page.split('\n').filter((line) => /^\| `(GET|POST|PUT|PATCH|DELETE) /.test(line))).toEqual(expected);
});

test('nothing but the two health routes is open', () => {
  expect(ROUTES.filter((route) => route.roles === 'open').map((route) => route.path)).toEqual([
    '/healthz',
    '/readyz',
  ]);
});

test('whoever may change something has a role that may look', () => {
  for (const route of ROUTES) {
    if (route.roles === 'open' || route.method === 'GET') continue;
    expect(route.roles, route.path).not.toContain('node');
    if (route.path !== '/intent.git/git-upload-pack') expect(route.roles, route.path).not.toContain('viewer');
  }
});
