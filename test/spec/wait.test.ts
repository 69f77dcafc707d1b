/** G03: `mainstay wait COMMIT` right after a push is never about another commit. */
import { describe, expect, test } from 'vitest';
import { openStage, type Stage } from '../support/stage.ts';

const PUSHES = 200;

interface Waited {
  readonly commit: string;
  readonly state: string;
}

describe('wait', () => {
  test(`G03 ${PUSHES} pushes in a row, each followed by a wait: no wrong answer`, async () => {
    await using stage = await openStage({ app: { health_timeout_ms: 2_000 } });
    const bad = await stage.source.commit({ text: 'bad', exit_at_boot: 9 });
    const wrong: string[] = [];
    for (let n = 1; n <= PUSHES; n++) {
      const fails = n % 20 === 0;
      const ref = fails ? bad : stage.first;
      const env = { N: String(Math.floor(n / 10)) };
      await stage.intent.write('apps/web.yaml', stage.doc({ source: { repo: stage.source.dir, ref }, env }));
      await stage.intent.write('n.txt', String(n));
      const commit = await stage.intent.commit(`push ${n}`);
      const pushing = await stage.intent.startPush(['-q', 'HEAD:main']);
      // Half of the waits begin when git has ended, half while it still streams.
      if (n % 2 === 0) await pushing.done;
      else await movedTo(stage, commit);
      const waited = await stage.mainstay.cli(['wait', commit, '--timeout', '20s', '--json']);
      await pushing.done;
      const expected = fails ? 1 : 0;
      if (waited.code !== expected)
        wrong.push(`${n}: exit ${waited.code}, not ${expected}: ${waited.stdout}${waited.stderr}`);
      else if ((JSON.parse(waited.stdout) as Waited).commit !== commit) wrong.push(`${n}: ${waited.stdout}`);
    }
    expect(wrong).toEqual([]);
  }, 240_000);

  test('G03 a commit that the daemon does not know is never reported as converged', async () => {
    await using stage = await openStage();
    const waited = await stage.mainstay.cli(['wait', 'f'.repeat(40), '--timeout', '1s']);
    expect(waited.code).not.toBe(0);
    const local = await stage.intent.commit('never pushed');
    expect((await stage.mainstay.cli(['wait', local, '--timeout', '1s'])).code).not.toBe(0);
  }, 30_000);
});

async function movedTo(stage: Stage, commit: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if ((await stage.intent.git('ls-remote', 'origin', 'refs/heads/main')).startsWith(commit)) return;
  }
  throw new Error('the ref did not move');
}
