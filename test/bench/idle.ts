/** P17, P19 and P20: what the idle daemon and proxy take, how fast the command starts, how long the first push takes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createAppRepo } from '../support/app-repo.ts';
import { appDoc, systemDoc } from '../support/documents.ts';
import { freePort } from '../support/free-ports.ts';
import { ask } from '../support/http-client.ts';
import { startMainstay } from '../support/mainstay.ts';
import { ok, start } from '../support/run-command.ts';
import { openStage } from '../support/stage.ts';
import { median, ms, timed, type Bench, type Figure } from './figures.ts';

const IDLE_MS = 10_000;
const TICKS_PER_S = 100;

export const idle: Bench = {
  name: 'idle',
  ids: ['P17', 'P19', 'P20'],
  run: async () => [...(await resident()), ...(await commands()), await firstPush()],
};

async function resident(): Promise<readonly Figure[]> {
  await using stage = await openStage();
  const proxy = (await stage.mainstay.proxy())?.pid ?? 0;
  const daemon = stage.mainstay.pid();
  const bare = start(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { env: {} });
  await delay(2_000);
  const before = (await cpuTicks(daemon)) + (await cpuTicks(proxy));
  await delay(IDLE_MS);
  const share =
    (((await cpuTicks(daemon)) + (await cpuTicks(proxy)) - before) / TICKS_PER_S / (IDLE_MS / 1_000)) * 100;
  const [a, b, c] = [await rssMib(daemon), await rssMib(proxy), await rssMib(bare.pid)];
  bare.kill();
  await bare.done;
  return [
    {
      id: 'P17',
      what: 'idle daemon and proxy: memory and processor',
      measured: `${a} + ${b} MiB, ${share.toFixed(2)} % of a core`,
      beside: `bare node ${c} MiB`,
      target: '<= 80 + 60 MiB, <= 0.2 %',
      met: a <= 80 && b <= 60 && share <= 0.2,
    },
  ];
}

async function commands(): Promise<readonly Figure[]> {
  await using stage = await openStage();
  const figures: Figure[] = [];
  for (const words of [['version'], ['status']]) {
    const [times, bare]: [number[], number[]] = [[], []];
    for (let n = 0; n < 11; n++) {
      times.push((await timed(() => stage.mainstay.cli(words))).took);
      bare.push((await timed(() => ok(process.execPath, ['-e', '0'], { env: {} }))).took);
    }
    figures.push({
      id: 'P19',
      what: `\`mainstay ${words.join(' ')}\``,
      measured: ms(median(times)),
      beside: `node -e 0: ${ms(median(bare))}`,
      target: '<= 150 ms',
      met: median(times) <= 150,
    });
  }
  return figures;
}

/** An empty machine with node and git: the daemon's start, a clone, and the push until it has converged. */
async function firstPush(): Promise<Figure> {
  const { took } = await timed(async () => {
    await using mainstay = await startMainstay();
    const source = await createAppRepo(join(mainstay.root, 'src'));
    const port = await freePort();
    const intent = await mainstay.clone();
    await intent.write('mainstay.yaml', systemDoc());
    const doc = appDoc('web', { source: { repo: source.dir, ref: await source.commit('A') }, port });
    const push = await intent.change({ 'apps/web.yaml': doc });
    if (!push.said.at(-1)?.text.startsWith('converged')) throw new Error(push.stderr);
    if ((await ask(`http://127.0.0.1:${port}/`)).text.trim() !== 'A') throw new Error('it does not serve');
  });
  return {
    id: 'P20',
    what: 'nothing there to the first converged push (daemon start included)',
    measured: ms(took),
    beside: 'commands: serve, clone, push',
    target: '<= 60 s, <= 3 commands',
    met: took <= 60_000,
  };
}

async function rssMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024);
}

async function cpuTicks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
