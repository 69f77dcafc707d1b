/** Every route with every role, and without a token, with a wrong, an expired and a revoked one: no holes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rolesFor } from '../../../src/api/pipeline.ts';
import type { Route } from '../../../src/api/route.ts';
import { ROUTES } from '../../../src/api/routes.ts';
import { ROLES } from '../../../src/model/token.ts';
import { startApi, tokenFor } from './start-api.ts';
import type { TestApi } from './start-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startApi();
});

afterAll(() => api.stop());

interface Door {
  readonly route: Route;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** The paths to try: a route with roles by query is two doors. */
const doors: readonly Door[] = ROUTES.flatMap((route): Door[] => {
  const path = route.path.replaceAll(/\{\w+\}/g, 'web');
  const plain = { route, path, query: new URLSearchParams() };
  if (route.rolesWhen === undefined) return [plain];
  const { query, equals } = route.rolesWhen;
  return [
    plain,
    { route, path: `${path}?${query}=${equals}`, query: new URLSearchParams({ [query]: equals }) },
  ];
});

/** Status of one request; streams are left at once. */
async function knock({ route, path }: Door, headers: Record<string, string>): Promise<number> {
  const ends = new AbortController();
  const body =
    route.body === undefined
      ? {}
      : { body: JSON.stringify(route.id.startsWith('deploy') ? { commit: 'x' } : {}) };
  const response = await fetch(api.url + path, {
    method: route.method,
    headers,
    signal: ends.signal,
    ...body,
  });
  ends.abort();
  return response.status;
}

test('the table is not empty', () => {
  expect(doors.length).toBeGreaterThan(25);
});

describe.each(doors.map((door) => [`${door.route.method} ${door.path}`, door] as const))(
  '%s',
  (_name, door) => {
    if (door.route.roles === 'open') {
      test('is open', async () => {
        expect(await knock(door, {})).toBe(200);
      });
      return;
    }

    test('needs a token that counts', async () => {
      expect(await knock(door, {})).toBe(401);
      expect(await knock(door, { authorization: 'Bearer wrong-token' })).toBe(401);
      expect(await knock(door, { authorization: 'Bearer ' })).toBe(401);
      expect(await knock(door, { authorization: tokenFor('operator') })).toBe(401);
      for (const role of ROLES) {
        expect(await knock(door, api.as(`expired-${role}`)), role).toBe(401);
        expect(await knock(door, api.as(`revoked-${role}`)), role).toBe(401);
      }
    });

    test.each(ROLES)('role %s', async (role) => {
      const status = await knock(door, api.as(role));

      if (rolesFor(door.route, door.query).includes(role)) expect([401, 403]).not.toContain(status);
      else expect(status).toBe(403);
    });

    test('takes Basic credentials only where git needs them', async () => {
      const basic = `Basic ${Buffer.from(`anyone:${tokenFor('operator')}`).toString('base64')}`;
      const status = await knock(door, { authorization: basic });

      if (door.route.credentials === 'basic') expect(status).toBe(200);
      else expect(status).toBe(401);
    });
  },
);

test('nothing was spawned or changed for those who were refused', async () => {
  const own = await startApi();
  try {
    const before = [own.git.length, own.control.calls.length];
    for (const { route, path } of doors) {
      if (route.roles === 'open') continue;
      await fetch(own.url + path, { method: route.method }).then((response) => response.text());
    }
    expect([own.git.length, own.control.calls.length]).toEqual(before);
  } finally {
    await own.stop();
  }
});

test('git is asked for its password, programs for a bearer token', async () => {
  const git = await fetch(`${api.url}/intent.git/info/refs?service=git-upload-pack`);
  const other = await fetch(`${api.url}/status`);

  expect(git.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
  expect(other.headers.get('www-authenticate')).toMatch(/^Bearer realm=/);
  expect(await other.json()).toMatchObject({ code: 'token-required', retriable: false });
});
