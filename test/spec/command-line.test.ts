/** The command line as a person meets it: help, exit codes, logs, events, init, demo. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { git } from '../support/git.ts';
import { readEvents } from '../support/http-client.ts';
import { expectNothingLeft, startMainstay } from '../support/mainstay.ts';
import { openStage } from '../support/stage.ts';
import { eventually } from '../support/wait.ts';

const LIMIT = 120_000;

const COMMANDS = [
  'init',
  'serve',
  'demo',
  'validate',
  'plan',
  'status',
  'wait',
  'history',
  'deploy',
  'rollback',
  'suspend',
  'resume',
  'logs',
  'events',
  'why',
  'shutdown',
  'token',
  'schema',
  'version',
] as const;

describe('command line', () => {
  test(
    'every command has --help; wrong usage and an unreachable daemon exit 2 with what to do',
    async () => {
      await using mainstay = await startMainstay();
      const helps = await Promise.all(COMMANDS.map((command) => mainstay.cli([command, '--help'])));
      helps.forEach((help, n) => {
        expect(help.code, COMMANDS[n]).toBe(0);
        expect(help.stdout, COMMANDS[n]).toMatch(/usage/i);
      });
      const whole = await mainstay.cli(['--help']);
      for (const command of COMMANDS) expect(whole.stdout).toContain(command);
      for (const words of [['no-such-command'], ['wait'], ['status', '--no-such-flag'], ['deploy', 'web']]) {
        const ran = await mainstay.cli(words);
        expect(ran.code, words.join(' ')).toBe(2);
        expect(ran.stderr).not.toBe('');
      }
      const away = await mainstay.cli(['status'], { env: { MAINSTAY_URL: 'http://127.0.0.1:9' } });
      expect(away.code).toBe(2);
      expect(away.stderr).toMatch(/127\.0\.0\.1:9/);
      expect(away.stderr).not.toMatch(/node:internal| at .*\.ts:/);
      expect((await mainstay.cli(['version'])).stdout).toMatch(/\d+\.\d+\.\d+/);
      expect(JSON.parse((await mainstay.cli(['schema', 'App'])).stdout)).toMatchObject({ title: 'App' });
    },
    LIMIT,
  );

  test(
    'status, history, logs and events say what is and what was, for people and for machines',
    async () => {
      await using stage = await openStage({ version: { text: 'A', prints: ['hello from A'] } });
      const status = await stage.mainstay.cli(['status']);
      expect(status.stdout).toMatch(/web/);
      expect(status.stdout).toContain(stage.first.slice(0, 7));
      // eslint-disable-next-line no-control-regex
      expect(status.stdout).not.toMatch(/\u001b/);
      const one = JSON.parse((await stage.mainstay.cli(['status', 'web', '--json'])).stdout) as unknown;
      expect(one).toMatchObject({ live_commit: stage.first, healthy: true });
      expect((await stage.mainstay.cli(['status', 'nobody'])).code).toBe(1);
      const history = await stage.mainstay.cli(['history']);
      expect(history.stdout).toMatch(/converged/);
      expect(history.stdout).toContain('Ada Person');
      const logs = await stage.mainstay.cli(['logs', 'web']);
      expect(logs.stdout).toContain('hello from A');
      expect(logs.stdout).toContain('starting A');
      const following = stage.mainstay.startCli(['logs', 'web', '-f']);
      await eventually('the log is shown', () => following.text().includes('hello from A'));
      following.kill('SIGINT');
      await following.done;
      const events = await stage.mainstay.api('GET', '/v1/events?after=0&limit=1000');
      expect(events.json<{ items: unknown[] }>().items.length).toBeGreaterThan(2);
    },
    LIMIT,
  );

  test(
    'an event stream goes on where it was left, over a restart of the daemon too',
    async () => {
      await using stage = await openStage();
      const headers = { authorization: `Bearer ${stage.mainstay.token}` };
      const url = `${stage.mainstay.url}/v1/events`;
      const first = await readEvents(url, headers);
      await stage.pushApp({ env: { N: '1' } });
      await eventually('events came', () =>
        first.messages.some((message) => message.data.includes('converged')),
      );
      first.close();
      const last = first.messages.filter((message) => message.id !== '').at(-1)?.id ?? '';
      await stage.pushApp({ env: { N: '2' } });
      const second = await readEvents(url, { ...headers, 'last-event-id': last });
      await eventually('what happened between comes', () =>
        second.messages.some((message) => message.data.includes('converged')),
      );
      const ids = second.messages.map((message) => Number(message.id)).filter((id) => id > 0);
      expect(ids[0]).toBeGreaterThan(Number(last));
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
      second.close();
      await stage.mainstay.kill9();
      await stage.mainstay.start();
      const third = await readEvents(url, { ...headers, 'last-event-id': String(ids.at(-1)) });
      await stage.pushApp({ env: { N: '3' } });
      await eventually('ids go on above', () =>
        third.messages.some(
          (message) => message.data.includes('converged') && Number(message.id) > (ids.at(-1) ?? 0),
        ),
      );
      third.close();
    },
    LIMIT,
  );

  test(
    'metrics are in the text format of Prometheus',
    async () => {
      await using stage = await openStage();
      const { text, headers } = await stage.mainstay.api('GET', '/metrics');
      expect(headers['content-type']).toMatch(/text\/plain/);
      const wrong = text
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('# '))
        .filter(
          (line) => !/^[a-z_:][a-z0-9_:]*(\{([a-z_]+="([^"\\]|\\.)*",?)*\})? -?[0-9.e+-]+$/i.test(line),
        );
      expect(wrong).toEqual([]);
      expect(text).toMatch(/^# TYPE mainstay_\w+ (counter|gauge|histogram)$/m);
      expect(text).toMatch(/web/);
    },
    LIMIT,
  );

  test(
    'without --nats the daemon runs, too, and says what it uses for presence',
    async () => {
      await using mainstay = await startMainstay({ nats: null });
      expect(mainstay.output()).toContain(`${mainstay.url}/intent.git`);
      expect(mainstay.output()).toMatch(/presence/i);
      expect((await mainstay.cli(['status'])).code).toBe(0);
    },
    LIMIT,
  );

  test(
    'what init makes is valid, and deploys as it is',
    async () => {
      await using mainstay = await startMainstay();
      const dir = join(mainstay.root, 'mine');
      const made = await mainstay.cli(['init', dir]);
      expect(made.code, made.stderr).toBe(0);
      expect(await git(dir, ['rev-parse', '--abbrev-ref', 'HEAD'])).toBe('main');
      expect(await readFile(join(dir, 'mainstay.yaml'), 'utf8')).toMatch(/#.*yaml-language-server|\$schema/);
      const valid = await mainstay.cli(['validate', dir]);
      expect(valid.code, valid.stdout + valid.stderr).toBe(0);
      const again = await mainstay.cli(['init', dir]);
      expect(again.code).not.toBe(0);
      expect(again.stderr).not.toBe('');
    },
    LIMIT,
  );

  test('demo tells the whole story in under a minute and leaves nothing', async () => {
    await using mainstay = await startMainstay();
    const demo = await mainstay.cli(['demo'], { limitMs: 60_000 });
    expect(demo.code, demo.stdout + demo.stderr).toBe(0);
    for (const word of [/push/i, /converged/, /error/, /rejected|refused/, /revert/i, /note/i]) {
      expect(demo.stdout + demo.stderr).toMatch(word);
    }
    expect(demo.tookMs).toBeLessThan(60_000);
    await mainstay.cli(['shutdown']);
    await expectNothingLeft(mainstay);
  }, 90_000);
});
