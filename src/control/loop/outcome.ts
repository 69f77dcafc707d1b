/** What an ended action leaves behind: the hold of a failed version, the alerts, the line in the commit's record. */
import { backoffMs } from '../../base/backoff.ts';
import type { Failure } from '../../base/result.ts';
import type { Action, StartAction, SwapAction } from '../../model/plan.ts';
import type { DesiredApp } from '../../plan/desired.ts';
import { clearAlertsOf, raiseAlert } from '../alerts.ts';
import type { Context } from '../context.ts';
import { liveEnded } from './crash.ts';
import { addAction } from '../records/record.ts';
import type { AppState } from '../state.ts';

/** From this many failed deploys of an app in a row on, a person is told. */
const FAILING_AFTER = 3;
/** For failures that are not the version's own, such as a disk or a repository that did not answer. */
const RETRY = { firstMs: 5000, capMs: 300_000 };

export function promoted(ctx: Context, app: AppState, action: StartAction | SwapAction): void {
  ctx.ports.store.holds.delete(app.name, 'version');
  ctx.ports.store.holds.delete(app.name, 'live');
  setFailures(ctx, app.name, 0);
  clearAlertsOf(ctx, app.name);
  void noteSource(ctx, app, action.to);
}

export function failedRollout(
  ctx: Context,
  app: AppState,
  attempt: { readonly desired: DesiredApp; readonly intent: string; readonly failure: Failure },
): void {
  const { desired, intent, failure } = attempt;
  // A kept slot that was damaged is not the version's fault: it is planned anew, into a new slot.
  if (failure.code === 'superseded' || failure.code === 'slot-drifted' || ctx.signal.aborted) return;
  // A replacement of what is live: the version is not new, its process keeps ending.
  if (desired.digest === app.links.live?.digest)
    return liveEnded(ctx, app, { what: failure.message, upMs: 0 });
  const now = ctx.ports.clock.now();
  const failures = failureCount(ctx, app.name) + 1;
  setFailures(ctx, app.name, failures);
  app.lastFailure = { commit: desired.version?.commit ?? '', failure };
  ctx.ports.store.holds.put({
    unit: app.name,
    kind: 'version',
    digest: desired.digest,
    intent,
    code: failure.code,
    reason: failure.message,
    at: now,
    retryAt: retryAt(ctx, failure, failures),
    failures,
  });
  ctx.events.emit({
    type: 'deploy-failed',
    unit: app.name,
    commit: intent,
    message: `${app.name}: ${failure.message}`,
  });
  for (const line of logTail(failure)) {
    ctx.events.emit({
      type: 'deploy-log',
      unit: app.name,
      commit: intent,
      message: `${app.name}:   | ${line}`,
    });
  }
  if (failure.code === 'health-timeout')
    raiseAlert(ctx, 'health-timeout', app.name, `${app.name}: ${failure.message}`);
  if (failures >= FAILING_AFTER) {
    raiseAlert(
      ctx,
      'deploy-failing',
      app.name,
      `${failures} deploys of ${app.name} failed in a row; the last: ${failure.message}`,
    );
  }
}

/** Null: only a change of intent, source or world brings another attempt. */
function retryAt(ctx: Context, { retry }: Failure, failures: number): number | null {
  const now = ctx.ports.clock.now();
  switch (retry.kind) {
    case 'never':
      return null;
    case 'after':
      return now + retry.ms;
    case 'backoff':
      return now + backoffMs(RETRY, failures, ctx.ports.random.next());
  }
}

function logTail(failure: Failure): readonly string[] {
  const tail = failure.details?.['log_tail'];
  return Array.isArray(tail) ? tail.map(String) : [];
}

/** One line in the record of the commit that the action was done for. */
export function noteAction(
  ctx: Context,
  done: {
    readonly action: Action;
    readonly intent: string;
    readonly problem: Failure | null;
    readonly tookMs: number;
  },
): void {
  const { action, problem } = done;
  const result =
    problem === null ? 'done' : problem.code === 'superseded' ? 'superseded' : `failed: ${problem.message}`;
  addAction(ctx, done.intent, {
    do: action.do,
    unit: action.unit,
    because: action.because,
    result,
    took_ms: done.tookMs,
  });
}

function failureCount(ctx: Context, app: string): number {
  return Number(ctx.ports.store.values.get(`failures:${app}`) ?? 0);
}

function setFailures(ctx: Context, app: string, count: number): void {
  if (failureCount(ctx, app) !== count)
    ctx.ports.store.values.put(`failures:${app}`, count === 0 ? null : String(count));
}

/** The app's own repository learns where its commit went; only where it can be written, and never in the way. */
async function noteSource(ctx: Context, app: AppState, commit: string): Promise<void> {
  const version = ctx.state.desired?.apps.get(app.name)?.version;
  if (version === undefined || version === null || version.source.repo === '.') return;
  const writer = ctx.ports.sourceNotes(version.gitDir);
  if (writer === null) return;
  const at = new Date(ctx.ports.clock.now()).toISOString();
  const text = `state: converged\nat: ${at}\napp: ${app.name}\nslot: ${app.links.live?.slot ?? ''}\nintent: ${ctx.state.record?.commit ?? ''}\n`;
  const result = await writer.write([{ commit, text }]);
  if (!result.ok)
    ctx.ports.log.info('the source repository took no note', { app: app.name, reason: result.error.message });
}
