/** Where the API listens: loopback unless access was set up on purpose; and the operator's token file. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureOperatorToken } from '../../../src/adapters/store/operator-token.ts';
import { openStore } from '../../../src/adapters/store/open.ts';
import { accessConfigured } from '../../../src/api/access.ts';
import { checkListen, hostAllowed, isLoopback } from '../../../src/api/listen.ts';
import { createApiServer } from '../../../src/api/server.ts';
import type { Random } from '../../../src/ports.ts';
import { realClock, startApi } from './start-api.ts';

const random: Random = { next: () => 0, hex: (bytes) => 'ab'.repeat(bytes) };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mainstay-listen-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('beyond loopback', () => {
  test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1', '[::1]'])('%s is loopback', (host) => {
    expect(isLoopback(host)).toBe(true);
    expect(checkListen(host, { tokensConfigured: false }).ok).toBe(true);
  });

  test.each(['0.0.0.0', '::', '192.168.0.1', 'example.org', '', '127.0.0.1.example.org', '1270.0.0.1'])(
    '%s is not',
    (host) => {
      expect(checkListen(host, { tokensConfigured: false })).toMatchObject({
        ok: false,
        error: { code: 'listen-refused' },
      });
      expect(checkListen(host, { tokensConfigured: true }).ok).toBe(true);
    },
  );

  test('a token made on purpose counts, the one of the first start, revoked and expired ones do not', () => {
    const store = openStore({ file: join(folder, 'mainstay.db') });
    if (!store.ok) throw new Error(store.error.message);
    const { tokens } = store.value;
    const token = { name: 'a', role: 'viewer', createdAt: 1, expiresAt: null, revokedAt: null } as const;
    const first = `mst_first_${'a'.repeat(48)}`;

    expect(accessConfigured(tokens, first, 100)).toBe(false);
    expect(accessConfigured(tokens, 'put-here-by-somebody', 100)).toBe(true);
    tokens.create({ ...token, hash: '1', expiresAt: 50 });
    tokens.create({ ...token, hash: '2', name: 'b', revokedAt: 50 });
    expect(accessConfigured(tokens, first, 100)).toBe(false);
    tokens.create({ ...token, hash: '3', name: 'c' });
    expect(accessConfigured(tokens, first, 100)).toBe(true);
    store.value.close();
  });

  test('a listener beyond loopback takes any Host, one on loopback those it was told of', () => {
    expect(hostAllowed('example.org', '0.0.0.0', [])).toBe(true);
    expect(hostAllowed('example.org', '127.0.0.1', [])).toBe(false);
    expect(hostAllowed('Example.org.:443', '127.0.0.1', ['example.org'])).toBe(true);
    expect(hostAllowed(undefined, '127.0.0.1', [])).toBe(false);
  });
});

describe('the operator token', () => {
  test('is made once, for its owner alone, and kept', () => {
    const made = ensureOperatorToken(folder, random);
    const again = ensureOperatorToken(folder, { ...random, hex: () => 'other' });
    const file = join(folder, 'operator.token');

    expect(made).toMatchObject({ ok: true, value: { made: true } });
    expect(again).toMatchObject({ ok: true, value: { made: false, token: `mst_first_${'ab'.repeat(24)}` } });
    expect(readFileSync(file, 'utf8')).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('one that somebody put there is used, and closed to others', () => {
    const file = join(folder, 'operator.token');
    writeFileSync(file, 'put-here-by-somebody\n');
    chmodSync(file, 0o644);

    expect(ensureOperatorToken(folder, random)).toMatchObject({
      ok: true,
      value: { token: 'put-here-by-somebody', made: false },
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test.each(['', 'short', 'has spaces in it, which is wrong', 'x'.repeat(300)])('"%s" is refused', (text) => {
    writeFileSync(join(folder, 'operator.token'), text);

    expect(ensureOperatorToken(folder, random)).toMatchObject({
      ok: false,
      error: { code: 'operator-token-unusable' },
    });
  });
});

test('an address that is taken is told as such', async () => {
  const api = await startApi();
  const again = await startApi({ listen: { host: '127.0.0.1', port: api.api.port } }).catch(
    (error: Error) => error.message,
  );

  expect(again).toMatch(/^Cannot listen on 127\.0\.0\.1:\d+: something else listens there/);
  await api.stop();
});

test('the address is known before requests are served', async () => {
  const api = await startApi();
  const started = await createApiServer({ ...api.options, clock: realClock });
  if (!started.ok) throw new Error(started.error.message);
  const before = await fetch(`${started.value.url}/healthz`);
  started.value.open();
  const after = await fetch(`${started.value.url}/healthz`);

  expect([before.status, before.headers.get('retry-after'), after.status]).toEqual([503, '1', 200]);
  expect(await before.json()).toMatchObject({ code: 'starting', retriable: true });
  await started.value.close(100);
  await api.stop();
});
