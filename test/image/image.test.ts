/**
 * The image on a real Docker engine: built from the Dockerfile, run as docs/operations.md says, pushed to with stock
 * git, stopped, killed and started again. Skipped, with the reason, where there is no engine or nothing to build on.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-ports.ts';
import { ask, type Answer } from '../support/http-client.ts';
import { openIntentRepo, type IntentRepo } from '../support/intent-repo.ts';
import { buildImage, ROOT, tagsOf, whyNoImage } from './build.ts';
import { discard, docker, meanwhile } from './engine.ts';

const LIMIT = 120_000;
/** The drain of the example's app, and an engine on a busy machine. */
const STOP_LIMIT_MS = 20_000;
/** As docs/operations.md has it. */
const MAKE_TOKEN =
  'umask 077; head -c 24 /dev/urandom | base64 | tr +/ -_ > /data/operator.token; cat /data/operator.token';

const why = await whyNoImage();
if (why !== null) console.warn(`the image is not checked: ${why}`);
const name = `mainstay-test-${process.pid}-${Date.now().toString(36)}`;
const quiet = `${name}-quiet`;

interface Status {
  readonly live_slot: string;
  readonly live_commit: string;
  readonly last_deploy_time: string;
  readonly healthy: boolean;
}

describe.skipIf(why !== null)(why === null ? 'image' : `image (skipped: ${why})`, () => {
  let scratch: string;
  let token: string;
  let url: string;
  let appUrl: string;
  let repo: IntentRepo;
  let deployed: Status;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'mst-image-'));
    await buildImage(name, scratch);
  }, 900_000);

  afterAll(async () => {
    await discard({ containers: [name, quiet], volumes: [name], images: tagsOf(name) });
    await rm(scratch, { recursive: true, force: true });
  }, LIMIT);

  const inside = (...command: readonly string[]): Promise<string> => docker(['exec', name, ...command]);
  const api = (path: string): Promise<Answer> =>
    ask(`${url}${path}`, { headers: { authorization: `Bearer ${token}` }, limitMs: 5_000 });
  /** The same version from the same slot, out of the same deploy, as before. */
  const expectRecovered = async (): Promise<void> => {
    await meanwhile(name, 'what ran before is served again', async () => {
      expect((await ask(appUrl, { limitMs: 2_000 })).text).toContain('Hello from Mainstay');
      expect((await api('/status')).json()).toMatchObject(deployed);
      const commit = (await api(`/v1/commits/${deployed.live_commit}`)).json<{ state: string }>();
      expect(commit.state).toBe('converged');
      return true;
    });
  };

  test(
    'without a command it serves, to the container alone, and says so to the engine',
    async () => {
      await docker(['run', '--detach', '--name', quiet, '--health-interval', '1s', name]);
      await meanwhile(
        quiet,
        'the engine calls it healthy',
        async () => (await docker(['inspect', '--format', '{{.State.Health.Status}}', quiet])) === 'healthy',
      );
      expect(await docker(['exec', quiet, 'mainstay', 'status', '--data', '/data'])).toContain('nothing');
      expect(await docker(['logs', quiet])).toContain('API      http://127.0.0.1:7070');
      await docker(['rm', '--force', '--volumes', quiet]);
    },
    LIMIT,
  );

  test(
    'serves as a user of its own below tini, and takes a push over HTTP with a token to a running app',
    async () => {
      const [apiPort, appPort] = [await freePort(), await freePort()];
      url = `http://127.0.0.1:${apiPort}`;
      appUrl = `http://127.0.0.1:${appPort}/`;
      const volume = ['--volume', `${name}:/data`];
      await docker(['volume', 'create', name]);
      token = await docker(['run', '--rm', ...volume, '--entrypoint', 'sh', name, '-c', MAKE_TOKEN]);
      const ports = ['--publish', `127.0.0.1:${apiPort}:7070`, '--publish', `127.0.0.1:${appPort}:3000`];
      const serve = 'serve --data /data --public-host 0.0.0.0 --drain-on-exit --listen 0.0.0.0:7070'.split(
        ' ',
      );
      await docker(['run', '--detach', '--name', name, ...volume, ...ports, name, ...serve]);
      await meanwhile(name, 'the daemon answers', async () => (await ask(`${url}/healthz`)).status === 200);
      expect(await inside('cat', '/proc/1/comm')).toBe('tini');
      expect(await inside('id', '-u')).not.toBe('0');

      repo = await openIntentRepo(
        join(scratch, 'clone'),
        `http://x:${token}@127.0.0.1:${apiPort}/intent.git`,
      );
      await cp(join(ROOT, 'intent-example'), repo.dir, { recursive: true });
      const commit = await repo.commit('the example');
      const pushed = await repo.push();
      expect(pushed.said.at(-1)?.text).toMatch(new RegExp(`^converged ${commit} in `));
      const answer = await ask(appUrl);
      expect([answer.status, answer.text]).toEqual([200, 'Hello from Mainstay, version 1\n']);
      const status = (await api('/status')).json<Status>();
      expect(status).toMatchObject({ live_commit: commit, healthy: true });
      deployed = {
        live_slot: status.live_slot,
        live_commit: status.live_commit,
        last_deploy_time: status.last_deploy_time,
        healthy: true,
      };
    },
    LIMIT,
  );

  test(
    '`docker stop` ends it in time with exit code 0, and a start brings back what ran',
    async () => {
      const began = Date.now();
      await docker(['stop', '-t', '60', name], 90_000);
      expect(Date.now() - began).toBeLessThan(STOP_LIMIT_MS);
      expect(await docker(['inspect', '--format', '{{.State.ExitCode}}', name])).toBe('0');
      await docker(['start', name]);
      await expectRecovered();
      // Drained, not killed: nothing to wonder at afterwards.
      expect(await inside('mainstay', 'status', '--data', '/data')).not.toContain('DRIFT');
    },
    LIMIT,
  );

  test(
    'after `docker kill` a start brings back what ran, and the next push is deployed',
    async () => {
      await docker(['kill', name]);
      await docker(['start', name]);
      await expectRecovered();
      const server = (await repo.read('hello/server.js')).replace(/version = '?1'?/i, (was) =>
        was.replace('1', '2'),
      );
      const pushed = await repo.change({ 'hello/server.js': server });
      expect(pushed.said.at(-1)?.text).toMatch(new RegExp(`^converged ${pushed.commit} in `));
      expect((await ask(appUrl)).text).toBe('Hello from Mainstay, version 2\n');
    },
    LIMIT,
  );
});
