/** P9: many swaps under load. No request may fail or wait long, and what is under way finishes. */
import { setTimeout as delay } from 'node:timers/promises';
import { startLoad, type LoadResult } from '../support/load.ts';
import { run } from '../support/run-command.ts';
import type { Stage } from '../support/stage.ts';
import { bareBoot } from './bare-boot.ts';
import { ms, rounds, type Bench, type Figure } from './figures.ts';
import { LONG_WORK } from './long-work.ts';
import { benchStage } from './scene.ts';

const LOAD = { connections: 16, pauseMs: 4 };
/** Long requests begin before every so many swaps. */
const LONG_EVERY = 5;
const STALL_MS = 50;

export const swaps: Bench = {
  name: 'swaps',
  ids: ['P9'],
  method:
    'Deploys through the API, one after the other, under 16 keep-alive connections that retry nothing and count everything but ' +
    'a whole 2xx answer as failed. Before every fifth swap an upload, an event stream and a WebSocket begin that last longer than ' +
    'the swap. Beside it the same load without swaps, and the same load while the app is booted by hand over and over, which is ' +
    'what the starts of processes alone do to it on this machine.',
  run: async () => {
    await using stage = await benchStage({ app: { drain_timeout_ms: 5_000 } });
    const other = await stage.source.commit('B');
    const count = rounds(200);
    const quiet = await loaded(stage, () => delay(5_000));
    const booting = await loaded(stage, async () => {
      for (let n = 0; n < Math.ceil(count / 4); n++) await bareBoot(stage.source.dir);
    });
    const long: Promise<string | null>[] = [];
    const swapped = await loaded(stage, async () => {
      for (let n = 0; n < count; n++) {
        if (n % LONG_EVERY === 0) for (const work of Object.values(LONG_WORK)) long.push(work(stage.port));
        const answer = await stage.deploy(n % 2 === 0 ? other : stage.first);
        if (!answer.body.success) throw new Error(`swap ${n} failed: ${answer.body.reason}`);
      }
    });
    const ended = await Promise.all(long);
    const broken = ended.filter((problem) => problem !== null);
    const limit = Math.max(STALL_MS, booting.longestMs);
    const figures: Figure[] = [
      {
        id: 'P9',
        what: `${count} swaps under keep-alive load`,
        measured: `${failed(swapped)}, longest ${ms(swapped.longestMs)}`,
        beside: `no swaps: ${failed(quiet)}, longest ${ms(quiet.longestMs)}; booting by hand: ${failed(booting)}, longest ${ms(booting.longestMs)}`,
        target: `0 failed, longest <= ${STALL_MS} ms`,
        met: swapped.failures.length === 0 && swapped.longestMs <= STALL_MS,
      },
      {
        id: 'P9',
        what: 'uploads, event streams and WebSockets across swaps',
        measured: `${broken.length} of ${ended.length} broken`,
        beside: 'the same requests, whole',
        target: '0 broken',
        met: broken.length === 0,
      },
    ];
    const wrk = await underWrk(stage, other, rounds(30));
    const profile = [...swapped.failures.slice(0, 3), ...broken.slice(0, 3)];
    if (swapped.longestMs > STALL_MS && swapped.longestMs <= limit)
      profile.push('the longest wait is within what booting the app by hand causes on these cores');
    return { figures: [...figures, ...(wrk === null ? [] : [wrk])], profile };
  },
};

async function loaded(stage: Stage, during: () => Promise<unknown>): Promise<LoadResult> {
  const load = startLoad(stage.port, LOAD);
  await during();
  return load.stop();
}

function failed({ failures, requests }: LoadResult): string {
  return `${failures.length} of ${requests} failed`;
}

/** The same with wrk, which asks as fast as it can; only where it is installed. */
async function underWrk(stage: Stage, other: string, count: number): Promise<Figure | null> {
  const url = `http://127.0.0.1:${stage.port}/`;
  const wrk = async (seconds: number): Promise<string> => {
    const env = { PATH: process.env['PATH'] ?? '' };
    const ran = await run('wrk', ['-t1', '-c16', `-d${seconds}s`, url], { env }).catch(() => null);
    return ran?.code === 0 ? ran.stdout : '';
  };
  const quiet = await wrk(4);
  if (quiet === '') return null;
  let swapped = 0;
  const asking = wrk(Math.max(4, Math.ceil(count / 2)));
  const over = asking.then(() => true);
  while (swapped < count && !(await Promise.race([over, delay(1, false)]))) {
    await stage.deploy(swapped++ % 2 === 0 ? other : stage.first);
  }
  const [before, during] = [readWrk(quiet), readWrk(await asking)];
  return {
    id: 'P9',
    what: `${swapped} swaps under wrk, 16 connections as fast as they can`,
    measured: `${during.errors} of ${during.requests} failed`,
    beside: `no swaps: ${before.errors} of ${before.requests}`,
    target: '0 failed',
    met: during.errors === 0,
  };
}

function readWrk(text: string): { readonly requests: number; readonly errors: number } {
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
  const socket = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  return { requests, errors: refused + (socket ?? []).slice(1).reduce((sum, part) => sum + Number(part), 0) };
}
