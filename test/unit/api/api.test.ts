/** What the API says: the seed's answers as they were written, errors in one form, and one thing at a time per test. */
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { err, failure } from '../../../src/base/result.ts';
import { ABC } from '../../fakes/control-plane.ts';
import { OPERATOR_TOKEN, startApi } from './start-api.ts';
import type { TestApi } from './start-api.ts';

let api: TestApi;

beforeEach(async () => {
  api = await startApi();
});

afterEach(() => api.stop());

async function body(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>;
}

describe('slots', () => {
  test("deploy answers with the seed's fields and passes on who asked", async () => {
    const response = await api.post('/deploy', { commit: ABC }, 'deployer');

    expect(response.status).toBe(200);
    expect(await body(response)).toEqual({
      success: true,
      slot: 'slot-aaaaaaaa',
      commit: ABC,
      previous_commit: '',
    });
    expect(api.control.calls).toEqual([`deploy web ${ABC} deployer`]);
  });

  test('an unhealthy version is 200 with success: false, and without the secrets that it printed', async () => {
    const answer = {
      success: false,
      slot: '',
      commit: ABC,
      previous_commit: '',
      reason: 'no answer',
      log_tail: ['no postgres://app:hunter2@db/app'],
    };
    api.control.state.deploy = { ok: true, value: answer };

    const response = await api.post('/deploy', { commit: ABC });
    const log_tail = ['no postgres://***@db/app'];
    expect([response.status, await body(response)]).toEqual([200, { ...answer, log_tail }]);
  });

  test('a failure comes with its status, its details and Retry-After, and without secrets', async () => {
    api.control.state.deploy = err(
      failure('starting', `cannot reach https://me:pw@host with ${OPERATOR_TOKEN}`, {
        retry: { kind: 'after', ms: 1500 },
        details: { log_tail: ['password=hunter2x'] },
      }),
    );

    const response = await api.post('/deploy', { commit: ABC });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(await body(response)).toEqual({
      code: 'starting',
      message: 'cannot reach https://***@host with ***',
      retriable: true,
      retry_after_ms: 1500,
      details: { log_tail: ['password=***'] },
    });
  });

  test('a commit is required, and unknown fields are named', async () => {
    const missing = await api.post('/deploy', {});
    const unknown = await api.post('/deploy', { commit: ABC, dryrun: true });
    const option = await api.post('/deploy', { commit: '--upload-pack=x' });
    const number = await api.post('/deploy', { commit: 5 });

    expect([missing.status, await body(missing)]).toMatchObject([
      400,
      { code: 'invalid-request', message: 'body.commit is required.', details: { field: 'body.commit' } },
    ]);
    expect((await body(unknown))['message']).toBe('body.dryrun is not known here (known: commit, dry_run).');
    expect([option.status, number.status]).toEqual([400, 400]);
    expect(api.control.calls).toEqual([]);
  });

  test('a dry run answers with the plan and changes nothing', async () => {
    for (const path of ['/deploy', '/v1/apps/web/deploy']) {
      const response = await api.post(path, { commit: ABC, dry_run: true });
      expect(await body(response)).toMatchObject({ actions: [{ do: 'start' }], counts: { start: 1 } });
    }
    expect(await body(await api.post('/rollback', { dry_run: true }))).toHaveProperty('actions');
    expect(api.control.calls).toEqual([]);
  });

  test('rollback takes no body at all', async () => {
    const response = await api.fetch('/rollback', { method: 'POST' });

    expect(response.status).toBe(200);
    expect(api.control.calls).toEqual(['rollback web operator']);
  });

  test('with several apps the request has to name one; with none there is nothing to name', async () => {
    api.control.state.apps = ['api', 'web'];
    const response = await api.fetch('/status');
    expect([response.status, await body(response)]).toMatchObject([
      400,
      { code: 'app-required', details: { apps: ['api', 'web'] } },
    ]);
    expect(await body(await api.fetch('/status?app=api'))).toMatchObject({ app: 'api' });
    expect(await body(await api.fetch('/v1/apps/web/status'))).toMatchObject({ app: 'web' });
    expect((await api.fetch('/v1/apps/nobody/status')).status).toBe(404);
    expect(await body(await api.fetch('/v1/apps'))).toMatchObject({
      items: [{ app: 'api' }, { app: 'web' }],
      next: null,
    });

    api.control.state.apps = [];
    const none = await api.fetch('/status');
    expect([none.status, await body(none)]).toMatchObject([404, { code: 'no-apps' }]);
  });
});

describe('requests in general', () => {
  test('a correlation id is taken when it is sane, made otherwise, and stands in the log', async () => {
    const headers = (id: string) => ({ ...api.as('operator'), 'x-correlation-id': id });
    const given = await api.fetch('/rollback', { method: 'POST', headers: headers('mine-1') });
    const odd = await api.fetch('/', { headers: headers('no spaces') });
    const long = await api.fetch('/', { headers: headers('x'.repeat(129)) });

    expect(given.headers.get('x-correlation-id')).toBe('mine-1');
    expect(odd.headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{16}$/);
    expect(long.headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{16}$/);
    expect(api.logged).toMatchObject([
      { message: 'request', fields: { route: 'rollback', by: 'operator', correlation_id: 'mine-1' } },
    ]);
  });

  test('git asking without credentials, as it always does first, is no refusal worth a line', async () => {
    await fetch(`${api.url}/intent.git/info/refs?service=git-upload-pack`);
    await fetch(`${api.url}/status`, { headers: api.as('revoked-viewer') });

    expect(api.logged.map(({ message, fields }) => [message, fields['route']])).toEqual([
      ['request refused', 'status'],
    ]);
  });

  test('unknown paths and wrong methods are told in the usual form, to those with a token', async () => {
    const unknown = await api.fetch('/no/such');
    const method = await api.fetch('/deploy', { method: 'PUT', body: '{}' });
    const options = await api.fetch('/status', { method: 'OPTIONS' });

    expect([unknown.status, (await body(unknown))['code']]).toEqual([404, 'unknown-route']);
    expect([method.status, method.headers.get('allow'), (await body(method))['code']]).toEqual([
      405,
      'POST',
      'method-not-allowed',
    ]);
    expect([options.status, options.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(options.headers.get('access-control-allow-origin')).toBeNull();
    expect((await fetch(`${api.url}/no/such`)).status).toBe(401);
    expect((await fetch(`${api.url}/deploy`, { method: 'PUT' })).status).toBe(401);
  });

  test('a body that is no JSON, no object, or too large is refused', async () => {
    const post = (text: string) => api.fetch('/deploy', { method: 'POST', body: text });
    const broken = await post('{"commit":');
    const list = await post('[]');
    const large = await post(JSON.stringify({ commit: 'x'.repeat(20_000) }));

    expect([broken.status, (await body(broken))['code']]).toEqual([400, 'invalid-json']);
    expect([list.status, (await body(list))['code']]).toEqual([400, 'invalid-request']);
    expect([large.status, (await body(large))['code']]).toEqual([413, 'body-too-large']);
    expect((await api.fetch('/status')).status).toBe(200);
  });

  test('a body that is far too large is read to its end, so that the answer arrives', async () => {
    for (const who of ['operator', 'nobody']) {
      const headers = { ...api.as(who), 'content-type': 'application/json' };
      const response = await api.fetch('/deploy', { method: 'POST', headers, body: 'x'.repeat(5_000_000) });
      expect(response.status).toBe(who === 'nobody' ? 401 : 413);
    }
  });

  test('a body without a length is cut at the limit as well', async () => {
    const chunks = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('x'.repeat(4096))),
    });
    const sent = api.fetch('/deploy', { method: 'POST', body: chunks, duplex: 'half' } as RequestInit);

    await expect(
      sent.then(
        (response) => response.status,
        () => 413,
      ),
    ).resolves.toBe(413);
  });

  test('a query value of the wrong form is named, also one given twice', async () => {
    const wrong = await api.fetch('/v1/history?limit=many');
    const twice = await api.fetch('/intent.git/info/refs?service=git-upload-pack&service=git-receive-pack');

    expect([wrong.status, (await body(wrong))['details']]).toMatchObject([400, { field: 'query.limit' }]);
    expect(twice.status).toBe(400);
    expect(api.git).toEqual([]);
  });

  test('an unexpected error is a 500 that says nothing of its cause', async () => {
    api.control.history = () => Promise.reject(new Error('inner secret'));
    const response = await api.fetch('/v1/history');

    expect(response.status).toBe(500);
    expect(JSON.stringify(await body(response))).not.toContain('inner');
    expect(api.logged).toContainEqual(
      expect.objectContaining({ level: 'error', message: 'request failed unexpectedly' }),
    );
  });

  test('a loopback listener answers to loopback names alone', async () => {
    expect(await rawStatus('evil.example')).toBe(421);
    expect(await rawStatus('127.0.0.1.evil.example')).toBe(421);
    expect(await rawStatus(`localhost:${api.api.port}`)).toBe(200);
    expect(await rawStatus('[::1]:7070')).toBe(200);
    expect(await rawStatus('a b')).toBe(400);
  });

  function rawStatus(host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const socket = connect(api.api.port, '127.0.0.1', () => {
        socket.write(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      });
      socket.once('data', (data: Buffer) => {
        resolve(Number(data.toString().split(' ')[1]));
        socket.destroy();
      });
      socket.once('error', reject);
    });
  }
});

describe('system', () => {
  test('not ready is 503, alive all the same', async () => {
    api.control.state.ready = false;

    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${api.url}/readyz`)).status).toBe(503);
  });

  test('plan passes on what to compare', async () => {
    await api.fetch('/v1/plan');
    await api.fetch('/v1/plan?ref=feature%2Fx&against=live');
    await api.fetch('/v1/plan?ref=a&against=b');

    expect(api.control.calls).toEqual(['plan null null', 'plan feature/x null', 'plan a b']);
  });

  test("shutdown is the operator's and the backup contact's", async () => {
    expect((await api.post('/v1/shutdown', {}, 'backup')).status).toBe(202);
    expect(api.control.calls).toEqual(['shutdown backup']);
  });

  test('history passes on the page', async () => {
    await api.fetch('/v1/history?app=web&limit=7&cursor=12');

    expect(api.control.calls).toEqual(['history 7 12 web']);
  });
});

describe('tokens', () => {
  test('a new token works until it is revoked, and is never shown again', async () => {
    const made = await body(await api.post('/v1/tokens', { role: 'viewer', name: 'dashboard' }));
    const token = String(made['token']);
    const status = () => fetch(`${api.url}/status`, { headers: { authorization: `Bearer ${token}` } });

    expect(made).toMatchObject({ name: 'dashboard', role: 'viewer', expires_at: null, revoked_at: null });
    expect((await status()).status).toBe(200);
    expect(await (await api.fetch('/v1/tokens')).text()).not.toContain(token);
    expect((await api.fetch('/v1/tokens/dashboard', { method: 'DELETE' })).status).toBe(200);
    const after = await status();
    expect([after.status, (await body(after))['code']]).toEqual([401, 'token-revoked']);
    expect((await api.fetch('/v1/tokens/dashboard', { method: 'DELETE' })).status).toBe(404);
  });

  test('it expires when its time is up', async () => {
    const made = await body(await api.post('/v1/tokens', { role: 'viewer', ttl: '0s' }));
    const response = await fetch(`${api.url}/status`, {
      headers: { authorization: `Bearer ${String(made['token'])}` },
    });

    expect((await body(response))['code']).toBe('token-expired');
  });

  test("names are not given twice, reserved roles and the operator's name not at all", async () => {
    expect((await api.post('/v1/tokens', { role: 'viewer', name: 'a' })).status).toBe(201);
    expect((await api.post('/v1/tokens', { role: 'viewer', name: 'a' })).status).toBe(409);
    expect((await api.post('/v1/tokens', { role: 'viewer', name: 'operator' })).status).toBe(409);
    expect((await api.post('/v1/tokens', { role: 'node' })).status).toBe(400);
    expect((await api.post('/v1/tokens', { role: 'root' })).status).toBe(400);
  });
});
