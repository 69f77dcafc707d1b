/** Who may do what: every route needs a token, git pushes too, and what stands on disk is private. */
import { stat } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { git, tryGit } from '../support/git.ts';
import { ask } from '../support/http-client.ts';
import { startMainstay } from '../support/mainstay.ts';
import { openStage } from '../support/stage.ts';

const LIMIT = 120_000;

/** The routes that the contract names for this version; the OpenAPI document may add more. */
const ROUTES: readonly (readonly [string, string])[] = [
  ['POST', '/deploy'],
  ['POST', '/rollback'],
  ['GET', '/status'],
  ['POST', '/v1/apps/web/deploy'],
  ['POST', '/v1/apps/web/rollback'],
  ['GET', '/v1/apps/web/status'],
  ['GET', '/v1/plan'],
  ['GET', '/v1/commits/main'],
  ['GET', '/v1/events'],
  ['POST', '/v1/units/web/restart'],
  ['GET', '/v1/units/web/logs'],
  ['GET', '/v1/history'],
  ['POST', '/v1/shutdown'],
  ['GET', '/metrics'],
  ['GET', '/openapi.json'],
  ['GET', '/intent.git/info/refs?service=git-receive-pack'],
  ['GET', '/intent.git/info/refs?service=git-upload-pack'],
  ['POST', '/intent.git/git-receive-pack'],
  ['POST', '/intent.git/git-upload-pack'],
  ['GET', '/no/such/route'],
];

interface OpenApi {
  readonly paths: Record<string, Record<string, unknown>>;
}

describe('access', () => {
  test(
    'every route but /healthz and /readyz answers 401 without a token and with a wrong one',
    async () => {
      await using stage = await openStage();
      const { url } = stage.mainstay;
      expect((await ask(`${url}/healthz`)).status).toBe(200);
      expect((await ask(`${url}/readyz`)).status).toBe(200);
      const api = (await stage.mainstay.api('GET', '/openapi.json')).json<OpenApi>();
      const described = Object.entries(api.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method): readonly [string, string] => [
          method.toUpperCase(),
          path.replace(/\{[^}]+\}/g, 'web'),
        ]),
      );
      expect(described.length).toBeGreaterThan(10);
      const holes: string[] = [];
      for (const [method, path] of [...ROUTES, ...described]) {
        if (path === '/healthz' || path === '/readyz') continue;
        for (const authorization of [
          '',
          'Bearer wrong',
          'Bearer ',
          'Basic eDp3cm9uZw==',
          stage.mainstay.token,
        ]) {
          const headers = authorization === '' ? {} : { authorization };
          const answer = await ask(`${url}${path}`, {
            method,
            headers: { ...headers, 'content-type': 'application/json' },
            body: method === 'POST' ? '{}' : '',
          });
          if (answer.status !== 401) holes.push(`${method} ${path} ${authorization}: ${answer.status}`);
        }
      }
      expect(holes).toEqual([]);
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );

  test(
    'errors have code, message, retriable and a correlation id; a given id comes back',
    async () => {
      await using mainstay = await startMainstay();
      const none = await ask(`${mainstay.url}/v1/history`, { headers: { 'x-correlation-id': 'mine-1' } });
      expect(none.status).toBe(401);
      expect(none.headers['x-correlation-id']).toBe('mine-1');
      expect(none.json()).toMatchObject({
        code: expect.any(String),
        message: expect.any(String),
        retriable: false,
      });
      const unknown = await mainstay.api('GET', '/no/such/route');
      expect(unknown.status).toBe(404);
      expect(unknown.headers['x-correlation-id']).toMatch(/.+/);
      const list = await mainstay.api('GET', '/v1/history');
      expect(list.json()).toMatchObject({ items: [], next: null });
      const large = await ask(`${mainstay.url}/deploy`, {
        method: 'POST',
        headers: { authorization: `Bearer ${mainstay.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ commit: 'x'.repeat(5_000_000) }),
      }).catch((error: Error) => error);
      if (!(large instanceof Error)) expect(large.status).toBe(413);
      const broken = await ask(`${mainstay.url}/deploy`, {
        method: 'POST',
        headers: { authorization: `Bearer ${mainstay.token}`, 'content-type': 'application/json' },
        body: '{"commit":',
      });
      expect(broken.status).toBe(400);
    },
    LIMIT,
  );

  test(
    'a token of a lesser role may only do what the role may; a revoked one nothing',
    async () => {
      await using stage = await openStage();
      const { url } = stage.mainstay;
      const make = async (role: string): Promise<string> => {
        const ran = await stage.mainstay.cli([
          'token',
          'create',
          '--role',
          role,
          '--name',
          `a-${role}`,
          '--json',
        ]);
        expect(ran.code, ran.stderr).toBe(0);
        return (JSON.parse(ran.stdout) as { token: string }).token;
      };
      const [viewer, deployer, backup] = [await make('viewer'), await make('deployer'), await make('backup')];
      const as = async (token: string, method: string, path: string, body = '{}'): Promise<number> =>
        (
          await ask(`${url}${path}`, {
            method,
            headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
            ...(method === 'GET' ? {} : { body }),
          })
        ).status;
      expect(await as(viewer, 'GET', '/status')).toBe(200);
      expect(await as(viewer, 'POST', '/deploy', JSON.stringify({ commit: stage.first }))).toBe(403);
      expect(await as(viewer, 'GET', '/intent.git/info/refs?service=git-receive-pack')).not.toBe(200);
      expect(await as(deployer, 'POST', '/deploy', JSON.stringify({ commit: stage.first }))).toBe(200);
      expect(await as(deployer, 'POST', '/v1/shutdown')).toBe(403);
      expect(await as(backup, 'GET', '/v1/status')).toBe(200);
      expect(await as(backup, 'POST', '/rollback')).toBe(403);
      const revoked = await stage.mainstay.cli(['token', 'revoke', 'a-deployer']);
      expect(revoked.code, revoked.stderr).toBe(0);
      expect(await as(deployer, 'GET', '/status')).toBe(401);
      expect((await stage.mainstay.cli(['token', 'list'])).stdout).not.toContain(viewer);
    },
    LIMIT,
  );

  test(
    'a git push without a token or with a wrong one is turned away before anything is sent',
    async () => {
      await using stage = await openStage();
      const { url, token } = stage.mainstay;
      for (const remote of [
        url,
        url.replace('http://', 'http://x:wrong@'),
        url.replace('http://', `http://${token}:@`),
      ]) {
        const ran = await tryGit(stage.intent.dir, ['push', `${remote}/intent.git`, 'HEAD:refs/heads/other']);
        expect(ran.code).not.toBe(0);
        expect(ran.stderr).toMatch(/401|Authentication failed|could not read Username/i);
      }
      const heads = await stage.intent.git('ls-remote', 'origin', 'refs/heads/*');
      expect(heads).not.toContain('other');
    },
    LIMIT,
  );

  test(
    'the operator token is 0600, of safe characters, kept over restarts; daemon.json is there; DATA is in argv',
    async () => {
      await using mainstay = await startMainstay();
      const file = await stat(`${mainstay.data}/operator.token`);
      expect(file.mode & 0o777).toBe(0o600);
      expect((await stat(mainstay.data)).mode & 0o007).toBe(0);
      const token = mainstay.token;
      expect(token).toMatch(/^[A-Za-z0-9_-]{20,}$/);
      expect(mainstay.output()).not.toContain(token);
      await mainstay.kill9();
      await mainstay.start();
      expect(mainstay.token).toBe(token);
      for (const own of await mainstay.processes()) {
        expect(own.argv.join(' ')).toContain(mainstay.data);
        expect(own.argv.join(' ')).not.toContain(token);
        expect(Object.values(own.env).join(' ')).not.toContain(token);
      }
    },
    LIMIT,
  );

  test(
    'a listener beyond loopback without tokens set up is refused',
    async () => {
      await using mainstay = await startMainstay();
      const ran = await mainstay.cli(
        ['serve', '--data', `${mainstay.root}/other`, '--listen', '0.0.0.0:0', '--nats', 'off'],
        { limitMs: 8_000 },
      );
      expect(ran.code).not.toBeNull();
      expect(ran.code).not.toBe(0);
      expect(ran.stderr + ran.stdout).toMatch(/loopback|token/i);
    },
    LIMIT,
  );

  test(
    'a push by path works while the daemon runs, and says one plain line and exits 1 when it does not',
    async () => {
      await using stage = await openStage({ via: 'path' });
      const b = await stage.source.commit('B');
      const push = await stage.pushApp({ source: { repo: stage.source.dir, ref: b } });
      expect(push.code, push.stderr).toBe(0);
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      expect(await stage.text()).toBe('B');
      const wrong = await stage.pushApp({ prot: 1 });
      expect(wrong.code).toBe(1);
      expect(wrong.said.some((line) => /^apps\/web\.yaml:\d+:1: error /.test(line.text))).toBe(true);
      await stage.intent.git('reset', '-q', '--hard', 'HEAD~1');

      await stage.mainstay.kill9();
      const before = await git(stage.mainstay.intentPath, ['rev-parse', 'refs/heads/main']);
      const down = await stage.pushApp({ env: { X: '1' } });
      expect(down.code).toBe(1);
      expect(down.said).toHaveLength(1);
      expect(down.said[0]?.text).toMatch(/daemon|mainstay/i);
      expect(down.stderr).not.toMatch(/at .*:\d+:\d+\)|node:internal|Error:/);
      expect(await git(stage.mainstay.intentPath, ['rev-parse', 'refs/heads/main'])).toBe(before);
      await stage.mainstay.start();
      const again = await stage.intent.push();
      expect(again.said.at(-1)?.text).toMatch(/^converged/);
    },
    LIMIT,
  );
});
