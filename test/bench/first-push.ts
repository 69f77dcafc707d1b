/** P20: a machine with git and node, a copy of the project, and the README's commands until the first push has converged. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { git, gitEnv } from '../support/git.ts';
import { freePort } from '../support/free-ports.ts';
import { killNow, processesOf } from '../support/processes.ts';
import { run, start, type Ran } from '../support/run-command.ts';
import { eventually } from '../support/wait.ts';
import { ms, timed, type Bench } from './figures.ts';
import { CHECKOUT } from './program.ts';

const TARGET_MS = 60_000;

export const firstPush: Bench = {
  name: 'first-push',
  ids: ['P20'],
  method:
    'A fresh clone of the project in a scratch folder with an empty home. `npm ci` is timed apart (it depends on the network and on ' +
    "npm's cache); then the README's three commands as they stand: `init`, `serve`, `git push`.",
  run: async () => {
    const root = await mkdtemp(join(tmpdir(), 'mst-first-'));
    try {
      return await firstSteps(root);
    } finally {
      for (const one of await processesOf(root)) killNow(one.pid);
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};

async function firstSteps(root: string) {
  const checkout = join(root, 'mainstay');
  await git(root, ['clone', '-q', '--no-hardlinks', CHECKOUT, checkout]);
  // As it is: reaching a registry may need what this machine has set for it.
  const env: Record<string, string> = {
    ...Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name, value ?? ''])),
    ...gitEnv(),
    XDG_DATA_HOME: join(root, '.local', 'share'),
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: root,
    npm_config_cache: process.env['npm_config_cache'] ?? join(process.env['HOME'] ?? root, '.npm'),
    npm_config_userconfig:
      process.env['npm_config_userconfig'] ?? join(process.env['HOME'] ?? root, '.npmrc'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  };
  const npm = (args: readonly string[]): Promise<Ran> =>
    run('npm', args, { cwd: checkout, env, limitMs: 600_000 });
  const install = await timed(() => npm(['ci']));
  if (install.value.code !== 0) throw new Error(install.value.stderr);
  const listen = `127.0.0.1:${await freePort()}`;
  const init = await timed(() => npm(['exec', '--', 'mainstay', 'init', 'my-intent']));
  if (init.value.code !== 0) throw new Error(init.value.stderr);
  const data = join(root, '.local', 'share', 'mainstay');
  const serve = await timed(async () => {
    const words = ['exec', '--', 'mainstay', 'serve', '--listen', listen];
    const daemon = start('npm', words, { cwd: checkout, env, limitMs: 120_000 });
    await eventually('the daemon says where to push', () => daemon.text().includes('intent.git'), 60_000);
  });
  const push = await timed(() =>
    run('git', ['-C', 'my-intent', 'push', join(data, 'intent.git'), 'main'], { cwd: checkout, env }),
  );
  if (!/remote: converged/.test(push.value.stderr)) throw new Error(push.value.stderr);
  const commands = init.took + serve.took + push.took;
  return {
    figures: [
      {
        id: 'P20',
        what: 'empty machine to first converged push',
        measured: `${ms(commands)} for the three commands (init ${ms(init.took)}, serve ${ms(serve.took)}, push ${ms(push.took)})`,
        beside: `npm ci ${ms(install.took)}`,
        target: '<= 60 s, <= 3 commands',
        met: install.took + commands <= TARGET_MS,
      },
    ],
  };
}
