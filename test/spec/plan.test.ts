/** Plans: for a branch, for review, always the same, and without any effect. */
import { readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { openStage, type Stage } from '../support/stage.ts';
import { freePort } from '../support/free-ports.ts';
import { pidsOf, unitsOf } from '../support/processes.ts';

const LIMIT = 120_000;

/** A branch with several apps added, one changed and one gone, and the live system it is compared with. */
async function withFeature(stage: Stage): Promise<void> {
  const b = await stage.source.commit('B');
  await stage.intent.git('checkout', '-q', '-b', 'feature');
  await stage.intent.write('apps/web.yaml', stage.doc({ source: { repo: stage.source.dir, ref: b } }));
  for (const name of ['zeta', 'alpha', 'mid']) {
    await stage.intent.write(`apps/${name}.yaml`, stage.doc({ name, port: await freePort() }));
  }
  await stage.intent.commit('feature');
}

const pids = async (stage: Stage): Promise<readonly number[]> => pidsOf(await unitsOf(stage.mainstay.root));

describe('plan', () => {
  test(
    'G08 a push to another branch is answered with its plan against live, and starts nothing',
    async () => {
      await using stage = await openStage();
      await withFeature(stage);
      const before = await pids(stage);
      const push = await stage.intent.push(['feature']);
      expect(push.code, push.stderr).toBe(0);
      const said = push.said.map((line) => line.text).join('\n');
      expect(said).toMatch(/swap\b.*\bweb\b|\bweb\b.*\bswap\b/);
      expect(said).toMatch(/start\b.*\balpha\b|\balpha\b.*\bstart\b/);
      expect(said).not.toMatch(/^converged/m);
      expect(await pids(stage)).toEqual(before);
      expect(await stage.text()).toBe('A');
      const markdown = await stage.mainstay.cli(['plan', 'feature', '--format', 'markdown']);
      expect(markdown.code, markdown.stderr).toBe(0);
      expect(markdown.stdout).toMatch(/^#|^\||^- |\*\*/m);
      expect(markdown.stdout).toContain('web');
      expect(markdown.stdout).toContain('alpha');
    },
    LIMIT,
  );

  test(
    'G08 a wrong document on another branch is pointed out at once',
    async () => {
      await using stage = await openStage();
      await stage.intent.git('checkout', '-q', '-b', 'feature');
      await stage.intent.write('apps/web.yaml', stage.doc({ prot: 1 }));
      await stage.intent.commit();
      const push = await stage.intent.push(['feature']);
      expect(push.said.some((line) => /^apps\/web\.yaml:\d+:1: error /.test(line.text))).toBe(true);
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );

  test(
    'A02 the same commit and the same world give byte-identical plans, 100 times',
    async () => {
      await using stage = await openStage();
      await withFeature(stage);
      await stage.intent.push(['feature']);
      const plans = new Set<string>();
      for (let n = 0; n < 100; n++) {
        const answer = await stage.mainstay.api('GET', '/v1/plan?ref=feature');
        expect(answer.status).toBe(200);
        plans.add(answer.text);
      }
      expect(plans.size).toBe(1);
      const [first, second] = [
        await stage.mainstay.cli(['plan', 'feature', '--format', 'json']),
        await stage.mainstay.cli(['plan', 'feature', '--format', 'json']),
      ];
      expect(first.stdout).toBe(second.stdout);
      expect(JSON.parse(first.stdout)).toMatchObject({
        counts: { start: 3, swap: 1, stop: 0, unchanged: 0 },
      });
    },
    LIMIT,
  );

  test(
    'A03 plan prints ordered actions with reasons and changes nothing',
    async () => {
      await using stage = await openStage();
      await withFeature(stage);
      await stage.intent.write(
        'apps/zeta.yaml',
        stage.doc({ name: 'zeta', port: await freePort(), after: ['web'] }),
      );
      await stage.intent.commit();
      await stage.intent.push(['feature']);
      const [before, disk, refs] = [
        await pids(stage),
        await readdir(stage.mainstay.data, { recursive: true }),
        await stage.intent.git('ls-remote', 'origin'),
      ];
      const text = await stage.mainstay.cli(['plan', 'feature']);
      expect(text.code).toBe(0);
      const json = await stage.mainstay.cli(['plan', 'feature', '--format', 'json']);
      const plan = JSON.parse(json.stdout) as { actions: { do: string; unit: string; because: string }[] };
      const units = plan.actions.map((action) => action.unit);
      expect([...units].sort()).toEqual(['alpha', 'mid', 'web', 'zeta']);
      expect(units.indexOf('zeta')).toBeGreaterThan(units.indexOf('web'));
      for (const action of plan.actions) expect(action.because.length).toBeGreaterThan(5);
      for (const unit of units) expect(text.stdout).toContain(unit);
      expect((await stage.mainstay.cli(['plan', 'feature', '--detailed-exitcode'])).code).toBe(3);
      expect((await stage.mainstay.cli(['plan', 'main', '--detailed-exitcode'])).code).toBe(0);
      expect(await pids(stage)).toEqual(before);
      expect(await stage.intent.git('ls-remote', 'origin')).toBe(refs);
      const volatile = (path: string): boolean => /-wal$|-shm$|\.log$|objects/.test(path);
      const now = await readdir(stage.mainstay.data, { recursive: true });
      expect(now.filter((path) => !volatile(path)).sort()).toEqual(
        disk.filter((path) => !volatile(path)).sort(),
      );
      expect(await unitsOf(stage.mainstay.root)).toHaveLength(1);
    },
    LIMIT,
  );
});

describe('guard', () => {
  const names = ['one', 'two', 'three', 'four'];

  test(
    'G09 a push that stops too much is refused by name, the trailer lets it through, a revert is exempt',
    async () => {
      await using stage = await openStage({ version: null });
      for (const name of names) {
        await stage.intent.write(`apps/${name}.yaml`, stage.doc({ name, port: await freePort() }));
      }
      await stage.intent.commit('four apps');
      const all = await stage.intent.push();
      expect(all.said.at(-1)?.text).toMatch(/^converged/);
      const running = pidsOf(await unitsOf(stage.mainstay.root));

      for (const name of names.slice(1)) await stage.intent.write(`apps/${name}.yaml`, null);
      await stage.intent.commit('only one');
      const refused = await stage.intent.push();
      expect(refused.code).toBe(1);
      for (const name of names.slice(1))
        expect(refused.stderr).toMatch(new RegExp(`remote: .*\\b${name}\\b`));
      expect(refused.stderr).toContain('Mainstay-Allow: stop');
      expect(pidsOf(await unitsOf(stage.mainstay.root))).toEqual(running);

      await stage.intent.git('commit', '-q', '--amend', '-m', 'only one\n\nMainstay-Allow: stop');
      const allowed = await stage.intent.push();
      expect(allowed.code, allowed.stderr).toBe(0);
      expect(allowed.said.at(-1)?.text).toMatch(/^converged/);
      expect(await unitsOf(stage.mainstay.root)).toHaveLength(1);

      await stage.intent.git('revert', '--no-edit', 'HEAD');
      expect((await stage.intent.push()).said.at(-1)?.text).toMatch(/^converged/);
      expect(await unitsOf(stage.mainstay.root)).toHaveLength(4);
      // Back to the tree of the first commit, where nothing ran: had converged, so no trailer is asked for.
      await stage.intent.git('rm', '-q', '-r', 'apps');
      await stage.intent.commit('back to the start');
      const back = await stage.intent.push();
      expect(back.code, back.stderr).toBe(0);
      expect(await unitsOf(stage.mainstay.root)).toHaveLength(0);
    },
    LIMIT,
  );
});
