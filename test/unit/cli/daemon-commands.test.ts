/** Commands that ask the daemon: what they ask, what they print, and their exit codes. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../../src/cli/program.ts';
import { fakeContext } from './fake-context.ts';
import { fakeDaemon, refuse } from './fake-daemon.ts';
import type { Reply } from './fake-daemon.ts';

const COMMIT = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);

const WEB = {
  app: 'web',
  live_slot: 'slot-aaaaaaaa',
  live_commit: COMMIT,
  previous_slot: '',
  previous_commit: '',
  last_deploy_time: '2026-11-20T08:00:00.000Z',
  healthy: true,
  staging_dir: '/data/apps/web/staging',
  desired_commit: COMMIT,
  state: 'converged',
  reason: '',
  url: 'http://127.0.0.1:3000',
  instances: [],
};

const SYSTEM = {
  mode: 'normal',
  commit: COMMIT,
  head: COMMIT,
  state: 'converged',
  reason: '',
  branch: 'main',
  presence: 'in process and HTTP (no NATS)',
  apps: [WEB],
  drift: [],
  started_at: '2026-11-20T08:00:00.000Z',
  version: '0.1.0',
};

const PLAN = {
  commit: COMMIT,
  actions: [
    { do: 'start', unit: 'api', because: 'new in intent', after: [], to: COMMIT, digest: 'd' },
    {
      do: 'swap',
      via: 'new',
      unit: 'web',
      because: 'a | b',
      after: ['api'],
      from: OTHER,
      to: COMMIT,
      digest: 'd',
    },
  ],
  unchanged: ['worker'],
  blocked: [{ unit: 'cron', code: 'suspended', reason: 'suspended in intent', until: null }],
  counts: { start: 1, stop: 0, swap: 1, unchanged: 1 },
  next_pass_at: null,
  diagnostics: [],
};

function commitStatus(state: string, verdict: object, revision = 1) {
  return {
    commit: COMMIT,
    state,
    revision,
    reason: null,
    diagnostics: [],
    verdict: { done: true, ok: true, commit: COMMIT, message: 'converged aaaaaaaa in 1.42 s', ...verdict },
  };
}

async function ask(replies: Readonly<Record<string, Reply>>, args: readonly string[], color = false) {
  await using daemon = await fakeDaemon(replies);
  const context = fakeContext({ env: { MAINSTAY_URL: daemon.url, MAINSTAY_TOKEN: 'secret' }, color });
  const code = await run(args, context);
  return { code, out: context.stdout(), err: context.stderr(), asked: daemon.asked };
}

describe('status', () => {
  test('says what runs; 0 when converged', async () => {
    const { code, out, asked } = await ask({ 'GET /v1/status': SYSTEM }, ['status']);
    expect(code).toBe(0);
    expect(out).toMatch(/converged +aaaaaaaa on main/);
    expect(out).toMatch(/web +converged +aaaaaaaa +yes +http:\/\/127\.0\.0\.1:3000/);
    expect(asked[0]?.token).toBe('Bearer secret');
  });

  test('with --check is 1 when it is not as wanted, and has colour only where it is welcome', async () => {
    const failed = { ...SYSTEM, state: 'failed', reason: 'web: unhealthy' };
    const { code, out } = await ask({ 'GET /v1/status': failed }, ['status', '--check'], true);
    expect(code).toBe(1);
    expect(out).toContain('\u001B[31m');
    const shown = await ask({ 'GET /v1/status': failed }, ['status']);
    expect(shown.code).toBe(0);
    expect(shown.out).not.toContain('\u001B');
  });

  test('of one app, as JSON', async () => {
    const { code, out } = await ask({ 'GET /v1/apps/web/status': WEB }, ['status', 'web', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(WEB);
  });
});

describe('wait', () => {
  test('is 0 on converged', async () => {
    const path = `GET /v1/commits/${COMMIT}`;
    const { code, out } = await ask({ [path]: commitStatus('converged', {}) }, ['wait', COMMIT]);
    expect(code).toBe(0);
    expect(out).toBe('converged aaaaaaaa in 1.42 s\n');
  });

  test('is 1 on failed, and on a verdict that does not come in time', async () => {
    const path = `GET /v1/commits/${COMMIT}`;
    const failed = commitStatus('failed', { ok: false, message: 'failed aaaaaaaa: unhealthy' });
    expect((await ask({ [path]: failed }, ['wait', COMMIT])).code).toBe(1);
    const pending = commitStatus('converging', { done: false, ok: false, message: '' });
    const late = await ask({ [path]: pending }, ['wait', COMMIT, '--timeout', '50ms']);
    expect(late.code).toBe(1);
    expect(late.err).toContain('not yet');
  });

  test('waits for a commit that is not known yet, and then asks about that one alone', async () => {
    let asked = 0;
    const reply: Reply = (response: Parameters<typeof refuse>[0]) => {
      asked += 1;
      if (asked < 3) refuse(response, 404, { code: 'commit-unknown', message: 'no such commit' });
      else response.end(JSON.stringify(commitStatus('converged', {})));
    };
    const result = await ask({ 'GET /v1/commits/main': reply }, ['wait', 'main']);
    expect(result.code).toBe(0);
    expect(asked).toBe(3);
  });
});

describe('plan', () => {
  test('prints actions in order with their reasons', async () => {
    const { code, out, asked } = await ask({ 'GET /v1/plan': PLAN }, ['plan', 'topic']);
    expect(code).toBe(0);
    expect(out).toMatch(
      /1\. +start +api +at aaaaaaaa +new in intent\n.*2\. +swap +web +bbbbbbbb -> aaaaaaaa/,
    );
    expect(out).toContain('1 to start, 1 to swap, 0 to stop, 1 unchanged');
    expect(out).toContain('suspended in intent [suspended]');
    expect(asked[0]?.path).toBe('/v1/plan?ref=topic');
  });

  test('markdown is a table, with what could break it escaped', async () => {
    const { out } = await ask({ 'GET /v1/plan': PLAN }, ['plan', '--format', 'markdown']);
    expect(out).toContain('| 2 | **swap** | `web` | bbbbbbbb -> aaaaaaaa | a \\| b (after api) |');
  });

  test('--detailed-exitcode is 3 with work and 0 without', async () => {
    expect((await ask({ 'GET /v1/plan': PLAN }, ['plan', '--detailed-exitcode'])).code).toBe(3);
    const none = { ...PLAN, actions: [] };
    expect((await ask({ 'GET /v1/plan': none }, ['plan', '--detailed-exitcode'])).code).toBe(0);
  });

  test('svg says that it comes later', async () => {
    const { code, err } = await ask({}, ['plan', '--format', 'svg']);
    expect(code).toBe(2);
    expect(err).toContain('topology');
  });
});

describe('imperative commands', () => {
  test('deploy is 0 when live and 1 when refused', async () => {
    const live = { success: true, slot: 'slot-aaaaaaaa', commit: COMMIT, previous_commit: '' };
    const done = await ask({ 'POST /v1/apps/web/deploy': live }, ['deploy', 'web', 'v1']);
    expect(done.code).toBe(0);
    expect(done.asked[0]?.body).toEqual({ commit: 'v1' });
    const not = { ...live, success: false, previous_commit: OTHER, reason: 'unhealthy', log_tail: ['boom'] };
    const refused = await ask({ 'POST /v1/apps/web/deploy': not }, ['deploy', 'web', 'v1']);
    expect(refused.code).toBe(1);
    expect(refused.out).toContain('bbbbbbbb stays live');
    expect(refused.out).toContain('boom');
  });

  test('rollback --dry-run prints the plan', async () => {
    const { code, out, asked } = await ask({ 'POST /v1/apps/web/rollback': PLAN }, [
      'rollback',
      'web',
      '--dry-run',
    ]);
    expect(code).toBe(0);
    expect(out).toContain('plan for aaaaaaaa');
    expect(asked[0]?.body).toEqual({ dry_run: true });
  });

  test.each(['suspend', 'resume', 'restart'])('%s asks for its unit', async (verb) => {
    const answer = { unit: 'web', commit: COMMIT };
    const { code, out } = await ask({ [`POST /v1/units/web/${verb}`]: answer }, [verb, 'web']);
    expect(code).toBe(0);
    expect(out).toContain('web');
  });

  test('token create prints the secret alone', async () => {
    const made = { name: 'ci', role: 'deployer', token: 'mst_x' };
    const { out, asked } = await ask({ 'POST /v1/tokens': made }, [
      'token',
      'create',
      '--role',
      'deployer',
      '--name',
      'ci',
    ]);
    expect(out).toBe('mst_x\n');
    expect(asked[0]?.body).toEqual({ role: 'deployer', name: 'ci' });
  });

  test('shutdown returns when the daemon is gone', async () => {
    await using daemon = await fakeDaemon({
      'POST /v1/shutdown': (response: Parameters<typeof refuse>[0]) => {
        response.end('{"status":"draining"}', () => void daemon[Symbol.asyncDispose]());
      },
    });
    const context = fakeContext();
    expect(await run(['shutdown', '--url', daemon.url], context)).toBe(0);
    expect(context.stdout()).toBe('everything has stopped\n');
  });
});

describe('streams', () => {
  test('events prints what is kept, page after page', async () => {
    const event = (id: number) => ({
      id,
      at: '2026-11-20T08:00:00.000Z',
      type: 'commit-converged',
      commit: COMMIT,
      message: `m${id}`,
    });
    const reply: Reply = (response: Parameters<typeof refuse>[0], one: { path: string }) => {
      const first = one.path.includes('after=0');
      const page = first
        ? { items: [event(1)], next: '1', last: 1 }
        : { items: [event(2)], next: null, last: 2 };
      response.end(JSON.stringify(page));
    };
    const { code, out } = await ask({ 'GET /v1/events': reply }, ['events', '--json']);
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: number }).id),
    ).toEqual([1, 2]);
  });

  test('logs prints lines, followed or not', async () => {
    const lines = { items: [{ at: 1, stream: 'stdout', text: 'one' }], next: null };
    expect((await ask({ 'GET /v1/units/web/logs': lines }, ['logs', 'web'])).out).toBe('one\n');
    const stream: Reply = (response: Parameters<typeof refuse>[0]) => {
      response.setHeader('content-type', 'text/event-stream');
      response.end('event: stdout\ndata: {"at":1,"stream":"stdout","text":"two"}\n\n');
    };
    expect((await ask({ 'GET /v1/units/web/logs': stream }, ['logs', 'web', '-f'])).out).toBe('two\n');
  });
});

describe('what the daemon refuses', () => {
  test('no access is 2 with a hint; an unknown unit is 1', async () => {
    const no: Reply = (response: Parameters<typeof refuse>[0]) =>
      refuse(response, 401, { code: 'token-invalid', message: 'no such token' });
    const denied = await ask({ 'GET /v1/why/web': no }, ['why', 'web']);
    expect(denied.code).toBe(2);
    expect(denied.err).toContain('--token-file');
    const unknown: Reply = (response: Parameters<typeof refuse>[0]) =>
      refuse(response, 404, { code: 'unit-unknown', message: 'no unit nope' });
    expect((await ask({ 'GET /v1/why/nope': unknown }, ['why', 'nope'])).code).toBe(1);
  });
});

describe('the local data folder', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'mst-cli-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  test('gives address and token with --data', async () => {
    await using daemon = await fakeDaemon({ 'GET /v1/status': SYSTEM });
    await mkdir(join(dir, 'data'));
    await writeFile(join(dir, 'data', 'operator.token'), 'local\n');
    await writeFile(join(dir, 'data', 'daemon.json'), JSON.stringify({ url: daemon.url }));
    expect(await run(['status', '--data', 'data'], fakeContext({ cwd: dir }))).toBe(0);
    expect(daemon.asked[0]?.token).toBe('Bearer local');
  });

  test('without a daemon says so, and asks no other one', async () => {
    await using daemon = await fakeDaemon({ 'GET /v1/status': SYSTEM });
    const context = fakeContext({ cwd: dir, env: { MAINSTAY_URL: daemon.url } });
    expect(await run(['status', '--data', 'nowhere'], context)).toBe(2);
    expect(context.stderr()).toContain('no daemon runs on');
    expect(daemon.asked).toEqual([]);
  });

  test('its token goes to this machine only', async () => {
    const data = join(dir, 'mainstay');
    await mkdir(data);
    await writeFile(join(data, 'operator.token'), 'local');
    await using daemon = await fakeDaemon({ 'GET /v1/status': SYSTEM });
    const env = { XDG_DATA_HOME: dir };
    await run(['status', '--url', daemon.url], fakeContext({ env }));
    expect(daemon.asked[0]?.token).toBe('Bearer local');
    // Resolves to the same machine, but by a name that only the resolver vouches for.
    await run(
      ['status', '--url', daemon.url.replace('127.0.0.1', 'localhost.localdomain')],
      fakeContext({ env }),
    );
    expect(daemon.asked[1]?.token ?? '').toBe('');
  });
});
