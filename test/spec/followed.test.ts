/** A work tree made by `init` is followed: each commit is taken up, wrong ones are held with their errors. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { createAppRepo } from '../support/app-repo.ts';
import { appDoc } from '../support/documents.ts';
import { freePort } from '../support/free-ports.ts';
import { git, gitEnv } from '../support/git.ts';
import { ask } from '../support/http-client.ts';
import { MAINSTAY_BIN, startMainstay } from '../support/mainstay.ts';
import { run } from '../support/run-command.ts';
import { eventually } from '../support/wait.ts';

describe('a followed work tree', () => {
  test('A19 commits are taken up as they come; an invalid HEAD leaves the previous commit active and is reported', async () => {
    let intent = '';
    await using mainstay = await startMainstay({
      intentIn: 'intent',
      before: async (root) => {
        intent = join(root, 'intent');
        const made = await run(process.execPath, [MAINSTAY_BIN, 'init', intent], {
          env: { ...gitEnv(), HOME: root },
        });
        expect(made.code, made.stderr).toBe(0);
        expect(await git(intent, ['log', '--format=%H', 'main'])).toMatch(/^[0-9a-f]{40}$/);
      },
    });
    const source = await createAppRepo(join(mainstay.root, 'src', 'web'));
    const first = await source.commit('A');
    const port = await freePort();
    const file = join(intent, 'apps', 'mine.yaml');
    const doc = appDoc('mine', { source: { repo: source.dir, ref: first }, port });
    await writeFile(file, stringify(doc));
    await git(intent, ['add', '-A']);
    await git(intent, ['commit', '-q', '-m', 'mine']);
    const text = async (): Promise<string> => (await ask(`http://127.0.0.1:${port}/`)).text.trim();
    await eventually('the commit is taken up', async () => (await text()) === 'A', 20_000);

    await writeFile(file, stringify({ ...doc, prot: 1 }));
    await git(intent, ['commit', '-q', '-a', '-m', 'wrong']);
    const wrong = await git(intent, ['rev-parse', 'HEAD']);
    const status = await eventually('the wrong commit is reported', async () => {
      const answer = await mainstay.api('GET', `/v1/commits/${wrong}`);
      return answer.status === 200 && answer.json()['state'] === 'invalid' ? answer.text : null;
    });
    expect(status).toMatch(/apps\/mine\.yaml:\d+:1/);
    expect(await text()).toBe('A');
    const whole = await mainstay.api('GET', '/v1/status');
    expect(whole.text).toContain(wrong);
    expect(whole.text).toMatch(/prot/);
    expect((await mainstay.cli(['wait', wrong, '--timeout', '5s'])).code).toBe(1);
    const onTop = await mainstay.api('POST', '/deploy?app=mine', { commit: first });
    expect(onTop.status).toBe(422);
    expect(onTop.text).toContain('intent-invalid');
    expect(await git(intent, ['rev-parse', 'HEAD'])).toBe(wrong);

    const b = await source.commit('B');
    await writeFile(file, stringify({ ...doc, source: { repo: source.dir, ref: b } }));
    await git(intent, ['commit', '-q', '-a', '-m', 'right']);
    await eventually('the next right commit is taken up', async () => (await text()) === 'B', 20_000);
    expect(await readFile(file, 'utf8')).toContain(b);

    await eventually('nothing is in progress', async () => {
      return (await mainstay.api('GET', '/status?app=mine')).json()['state'] === 'converged';
    });
    const c = await source.commit('C');
    const deployed = await mainstay.api('POST', '/deploy?app=mine', { commit: c });
    expect(deployed.json()).toMatchObject({ success: true, commit: c });
    expect(await readFile(file, 'utf8')).toContain(c);
    expect(await git(intent, ['status', '--porcelain'])).toBe('');
  }, 120_000);
});
