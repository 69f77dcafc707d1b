/** P5: the daemon's start with 10,000 documents. */
import { join } from 'node:path';
import { createAppRepo } from '../support/app-repo.ts';
import { rm } from 'node:fs/promises';
import { gitEnv } from '../support/git.ts';
import { run } from '../support/run-command.ts';
import { median, ms, rounds, spread, timed, type Bench } from './figures.ts';
import { commitFiles, emptyRepository, manyDocuments } from './many-documents.ts';
import { benchDaemon, push } from './scene.ts';

const DOCUMENTS = 10_000;

export const coldStart: Bench = {
  name: 'cold-start',
  ids: ['P5'],
  method:
    'A daemon whose intent is 10,000 suspended apps is killed and started again; measured from the start of the process until ' +
    '`/readyz` answers 200. Rounds alternate between code that was compiled by an earlier start and code that was not. Beside ' +
    'it, stock git lists the same commit and prints every blob of it.',
  run: async () => {
    await using mainstay = await benchDaemon();
    const dir = join(mainstay.root, 'many');
    await emptyRepository(dir);
    const app = await createAppRepo(join(mainstay.root, 'src'));
    const source = { repo: app.dir, ref: await app.commit('A') };
    await commitFiles(dir, manyDocuments(DOCUMENTS, source, { suspend: true }));
    const pushed = await push(dir, [mainstay.intentUrl, 'main']);
    if (pushed.code !== 0) throw new Error(pushed.stderr.slice(0, 2_000));
    const cache = join(process.env['XDG_CACHE_HOME'] ?? mainstay.root, 'mainstay');
    const [warm, none, native]: [number[], number[], number[]] = [[], [], []];
    for (let n = 0; n < rounds(4) * 2; n++) {
      // What was compiled is written when a daemon ends well; a killed one leaves it as it was.
      if (n % 2 === 0) await mainstay.end('SIGTERM');
      else {
        await mainstay.kill9();
        await rm(cache, { recursive: true, force: true });
      }
      const { took } = await timed(async () => {
        await mainstay.start();
        while ((await mainstay.api('GET', '/readyz')).status !== 200);
      });
      (n % 2 === 0 ? warm : none).push(took);
      native.push((await timed(() => readAll(dir))).took);
    }
    return {
      figures: [
        {
          id: 'P5',
          what: 'start to ready with 10,000 documents: nothing kept / code kept from an earlier start',
          measured: `nothing kept: ${spread(none)} / code kept: ${spread(warm)}`,
          beside: `git ls-tree and cat-file --batch of the same p50 ${ms(median(native))}`,
          target: '<= 5 s / <= 1 s',
          met: median(none) <= 5_000 && median(warm) <= 1_000,
        },
      ],
    };
  },
};

async function readAll(dir: string): Promise<void> {
  const script = 'git ls-tree -r --format="%(objectname)" main | git cat-file --batch > /dev/null';
  const ran = await run('sh', ['-c', script], { cwd: dir, env: gitEnv() });
  if (ran.code !== 0) throw new Error(ran.stderr);
}
