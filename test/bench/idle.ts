/** P17: what the daemon and the proxy take while nothing happens, from the package and from the sources. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { start } from '../support/run-command.ts';
import { ms, rounds, type Bench, type Figure } from './figures.ts';
import { SOURCES } from './program.ts';
import { benchStage } from './scene.ts';

const SETTLE_MS = 5_000;
const IDLE_MS = 30_000;
const TICKS_PER_S = 100;

export const idle: Bench = {
  name: 'idle',
  ids: ['P17'],
  method:
    'One app deployed by a push, a few seconds to settle, then half a minute in which nothing happens. Resident memory (RSS) counts ' +
    'pages of the node executable that all node processes of a machine share; the private part is given beside it.',
  run: async () => ({
    figures: [await resident('built package', null), await resident('sources', SOURCES)],
  }),
};

async function resident(name: string, bin: string | null): Promise<Figure> {
  await using stage = await benchStage(bin === null ? {} : { bin });
  const proxy = (await stage.mainstay.proxy())?.pid ?? 0;
  const daemon = stage.mainstay.pid();
  const bare = start(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { env: {}, limitMs: 120_000 });
  await delay(SETTLE_MS);
  const before = [await cpuMs(daemon), await cpuMs(proxy)];
  const idleMs = rounds(IDLE_MS);
  await delay(idleMs);
  const used = [(await cpuMs(daemon)) - before[0]!, (await cpuMs(proxy)) - before[1]!] as const;
  const [d, p, b] = [await memory(daemon), await memory(proxy), await memory(bare.pid)];
  bare.kill();
  await bare.done;
  const share = ((used[0] + used[1]) / idleMs) * 100;
  return {
    id: 'P17',
    what: `idle daemon + proxy, ${name}`,
    measured: `${d.rss} + ${p.rss} MiB (private ${d.own} + ${p.own}); ${share.toFixed(2)} % of a core (${ms(used[0])} + ${ms(used[1])} in ${idleMs / 1000} s)`,
    beside: `bare node ${b.rss} MiB (private ${b.own})`,
    target: bin === null ? '<= 80 + 60 MiB, <= 0.2 %' : 'none: for comparison',
    met: bin !== null || (d.rss <= 80 && p.rss <= 60 && share <= 0.2),
  };
}

async function memory(pid: number): Promise<{ readonly rss: number; readonly own: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const mib = (key: string): number =>
    Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN) / 1024);
  return { rss: mib('VmRSS'), own: mib('RssAnon') };
}

/** User and system time so far. */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_S) * 1000;
}
