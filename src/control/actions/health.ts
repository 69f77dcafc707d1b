/** Waits until a started instance answers its health endpoint, ends, runs out of time, or is no longer wanted. */
import { failure, ok, err, type Result } from '../../base/result.ts';
import { formatDuration } from '../../base/duration.ts';
import type { App } from '../../model/intent.ts';
import type { ObservedInstance } from '../../model/instance.ts';
import type { HealthReport } from '../../model/slot.ts';
import type { ProbeAnswer } from '../../ports.ts';
import type { Context } from '../context.ts';
import { describeExit } from '../state.ts';

/** One check may take this long at most. */
const CHECK_LIMIT_MS = 2000;
/** How often the pusher is told what is being waited for. */
const PROGRESS_MS = 2000;
/** An app that answers on PORT gets this long to listen on its INTERNAL_PORT as well. */
const INTERNAL_GRACE_MS = 100;

export interface Healthy {
  readonly report: HealthReport;
  /** INTERNAL_PORT is listened on. */
  readonly internal: boolean;
}

export interface HealthWait {
  readonly app: App;
  readonly instance: ObservedInstance;
  readonly intent: string | undefined;
  /** Watched since before the start; without it from now on. */
  readonly exits?: Exits;
}

/** Close together at first, so that a quick start is seen at once; then sparing. */
function intervalAfter(waitedMs: number): number {
  if (waitedMs < 1000) return 10;
  return waitedMs < 5000 ? 50 : 200;
}

export async function waitHealthy(
  ctx: Context,
  wait: HealthWait,
  signal: AbortSignal,
): Promise<Result<Healthy>> {
  const { clock } = ctx.ports;
  const began = clock.now();
  const deadline = began + wait.app.health_timeout_ms;
  const exits = wait.exits ?? watchExits(ctx, [wait.instance.id]);
  const exited = exits.of(wait.instance.id);
  let attempts = 0;
  let last = 'no answer yet';
  let toldAt = began;
  try {
    for (;;) {
      if (signal.aborted) return err(failure('superseded', 'no longer wanted'));
      if (exited.aborted) return err(await exitFailure(ctx, wait.instance, { attempts, last }));
      const left = deadline - clock.now();
      if (left <= 0) return err(timeoutFailure(wait, { attempts, last }));
      const check = await ask(ctx, wait, Math.min(left, CHECK_LIMIT_MS), AbortSignal.any([signal, exited]));
      attempts += 1;
      if (check.healthy) return ok({ report: { attempts, last: check.said }, internal: check.internal });
      last = check.said;
      const now = clock.now();
      if (now - toldAt >= PROGRESS_MS) {
        toldAt = now;
        tell(ctx, wait, last, now - began);
      }
      const pause = Math.min(intervalAfter(now - began), Math.max(0, deadline - now));
      await clock.sleep(pause, AbortSignal.any([signal, exited]));
    }
  } finally {
    if (wait.exits === undefined) exits.end();
  }
}

/** One round of the contract: INTERNAL_PORT when it is declared and listened on, else PORT. */
async function ask(
  ctx: Context,
  wait: HealthWait,
  limitMs: number,
  signal: AbortSignal,
): Promise<{ readonly healthy: boolean; readonly said: string; readonly internal: boolean }> {
  const { instance, app } = wait;
  const get = (port: number): Promise<ProbeAnswer> =>
    ctx.ports.probe.http({ port, path: app.health_endpoint, timeoutMs: limitMs }, signal);
  if (instance.internalPort !== null) {
    const internal = await get(instance.internalPort);
    if (internal.kind !== 'refused') return { ...verdict(internal), internal: true };
  }
  const answer = verdict(await get(instance.port));
  if (!answer.healthy || instance.internalPort === null) return { ...answer, internal: false };
  await ctx.ports.clock.sleep(INTERNAL_GRACE_MS, signal);
  const late = await get(instance.internalPort);
  return late.kind === 'refused' ? { ...answer, internal: false } : { ...verdict(late), internal: true };
}

function verdict(answer: ProbeAnswer): { readonly healthy: boolean; readonly said: string } {
  switch (answer.kind) {
    case 'answered':
      return { healthy: answer.status >= 200 && answer.status < 300, said: `answered ${answer.status}` };
    case 'refused':
      return { healthy: false, said: 'nothing listens on its port' };
    case 'failed':
      return { healthy: false, said: answer.reason };
  }
}

function tell(ctx: Context, wait: HealthWait, last: string, waitedMs: number): void {
  ctx.events.emit({
    type: 'health-waiting',
    unit: wait.app.name,
    ...(wait.intent === undefined ? {} : { commit: wait.intent }),
    message: `${wait.app.name}: waiting for ${wait.app.health_endpoint}: ${last}; ${formatDuration(waitedMs)} of ${formatDuration(wait.app.health_timeout_ms)}`,
  });
}

function timeoutFailure(wait: HealthWait, report: HealthReport): ReturnType<typeof failure> {
  const message = `not healthy after ${formatDuration(wait.app.health_timeout_ms)}: GET ${wait.app.health_endpoint}: ${report.last} (${report.attempts} checks)`;
  return failure('health-timeout', message, { details: { health: report } });
}

async function exitFailure(
  ctx: Context,
  instance: ObservedInstance,
  report: HealthReport,
): Promise<ReturnType<typeof failure>> {
  const seen = await ctx.ports.backend.observe();
  const exit = seen.ok ? (seen.value.find((one) => one.id === instance.id)?.exit ?? null) : null;
  return failure('exited-early', `the process ${describeExit(exit)} before it was healthy`, {
    details: { health: report },
  });
}

/** Hears of the ends of instances that may not have been started yet. */
export interface Exits {
  /** Aborted once that instance has ended. */
  of(id: string): AbortSignal;
  end(): void;
}

export function watchExits(ctx: Context, ids: readonly string[]): Exits {
  const ended = new Map(ids.map((id) => [id, new AbortController()]));
  const end = ctx.ports.backend.subscribe((event) => {
    if (event.type === 'exited') ended.get(event.instance)?.abort();
  });
  return { of: (id) => ended.get(id)?.signal ?? ctx.signal, end };
}
