/** Where an app's program comes from: other repositories, folders, tags, the intent repository itself; and order. */
import { rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NODE_SERVER } from '../support/app-server.ts';
import { freePort } from '../support/free-ports.ts';
import { git } from '../support/git.ts';
import { openGate } from '../support/gate.ts';
import { ask } from '../support/http-client.ts';
import { openStage } from '../support/stage.ts';
import { eventually } from '../support/wait.ts';

const LIMIT = 120_000;

describe('sources', () => {
  test(
    'a tag and a folder of a repository are deployable; a change beside the folder does not redeploy a pinned app',
    async () => {
      await using stage = await openStage();
      const files = {
        'services/shop/server.js': NODE_SERVER,
        'services/shop/version.json': '{"text":"shop"}',
      };
      const commit = await stage.source.commit('root', files);
      await git(stage.source.dir, ['tag', '-a', '-m', 'one', 'v1.0', commit]);
      const push = await stage.pushApp({
        source: { repo: stage.source.dir, ref: 'v1.0', path: 'services/shop' },
      });
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      expect(await stage.text()).toBe('shop');
      expect((await stage.status()).live_commit).toBe(commit);
    },
    LIMIT,
  );

  test(
    'a program that lies in the intent repository itself is deployed with it, and not redeployed by other changes',
    async () => {
      await using stage = await openStage();
      await stage.intent.write('programs/hello/server.js', NODE_SERVER);
      await stage.intent.write('programs/hello/version.json', '{"text":"own"}');
      const push = await stage.pushApp({ source: { repo: '.', path: 'programs/hello' } });
      expect(push.said.at(-1)?.text).toMatch(/^converged/);
      expect(await stage.text()).toBe('own');
      const pid = (await stage.get('/pid')).text;
      const other = await stage.intent.change({ 'README.md': 'words' });
      expect(other.said.at(-1)?.text).toMatch(/^converged/);
      expect((await stage.get('/pid')).text).toBe(pid);
      await stage.intent.change({ 'programs/hello/version.json': '{"text":"own 2"}' });
      expect(await stage.text()).toBe('own 2');
    },
    LIMIT,
  );

  test(
    'a source that cannot be reached is a warning; the app is deployed once it is there',
    async () => {
      await using stage = await openStage();
      await stage.intent.write(
        'apps/web.yaml',
        stage.doc({ source: { repo: 'http://127.0.0.1:9/app.git', ref: 'main' } }),
      );
      await stage.intent.commit('moved');
      const push = await stage.intent.startPush();
      await eventually('the warning is shown', () => /remote: .*warning/.test(push.text()));
      push.kill();
      await push.done;
      expect(await stage.text()).toBe('A');
      await stage.intent.pull();
      const back = await stage.pushApp({ env: { X: '1' } });
      expect(back.said.at(-1)?.text).toMatch(/^converged/);
      await rename(stage.source.dir, `${stage.source.dir}.gone`);
      const pid = (await stage.get('/pid')).text;
      const unrelated = await stage.intent.change({ 'README.md': 'words' });
      expect(unrelated.code, unrelated.stderr).toBe(0);
      expect((await stage.get('/pid')).text).toBe(pid);
      await stage.mainstay.kill9();
      await stage.mainstay.start();
      expect((await stage.get('/pid')).text).toBe(pid);
      await rename(`${stage.source.dir}.gone`, stage.source.dir);
      const b = await stage.source.commit('B');
      expect((await stage.deploy(b)).body.success).toBe(true);
    },
    LIMIT,
  );

  test(
    'an app waits for those that it names in after',
    async () => {
      await using gate = await openGate();
      await using stage = await openStage({ version: null });
      gate.shut('boot');
      const slow = await stage.source.commit({ text: 'db', gates: { boot: gate.url('boot') } });
      const port = await freePort();
      await stage.intent.write('apps/web.yaml', stage.doc({ after: ['db'] }));
      await stage.intent.write(
        'apps/db.yaml',
        stage.doc({ name: 'db', port, source: { repo: stage.source.dir, ref: slow } }),
      );
      await stage.intent.commit();
      const push = await stage.intent.startPush();
      await gate.reached('boot');
      expect(await stage.units()).toHaveLength(0);
      gate.open('boot');
      expect((await push.done).code).toBe(0);
      expect(await stage.text()).toBe('A');
      expect((await ask(`http://127.0.0.1:${port}/`)).text.trim()).toBe('db');
      const cycle = await stage.intent.change({
        'apps/db.yaml': stage.doc({ name: 'db', port, after: ['web'] }),
      });
      expect(cycle.code).toBe(1);
      expect(cycle.stderr).toMatch(/remote: .*(db.*web.*db|web.*db.*web)/);
    },
    LIMIT,
  );

  test(
    'a public port that another program holds is said, and served once it is free',
    async () => {
      const port = await freePort();
      const holder = createServer().listen(port, '127.0.0.1');
      try {
        await using stage = await openStage();
        await stage.intent.write('apps/other.yaml', stage.doc({ name: 'other', port }));
        await stage.intent.commit('other');
        const push = await stage.intent.startPush();
        await eventually('the held port is named', async () => {
          const status = await stage.mainstay.cli(['status', '--json']);
          return (
            new RegExp(`${port}`).test(status.stdout) &&
            /in use|EADDRINUSE|another program/i.test(status.stdout)
          );
        });
        holder.close();
        await eventually(
          'it is served',
          async () => (await ask(`http://127.0.0.1:${port}/`)).text.trim() === 'A',
          20_000,
        );
        push.kill();
        await push.done;
        expect(await stage.text()).toBe('A');
      } finally {
        holder.close();
      }
    },
    LIMIT,
  );

  test(
    'an LFS pointer is said plainly',
    async () => {
      await using stage = await openStage();
      const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 12\n';
      await writeFile(
        join(stage.source.dir, '.gitattributes'),
        '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      );
      const lfs = await stage.source.commit('lfs', { 'big.bin': pointer });
      const answer = await stage.deploy(lfs);
      expect(answer.body.success ?? false).toBe(false);
      expect(JSON.stringify(answer.body)).toMatch(/lfs/i);
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );
});
