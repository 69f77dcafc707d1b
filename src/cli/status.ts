/** `mainstay status`: what is, what is wanted, and where the two differ. */
import { formatDuration } from '../base/duration.ts';
import type { AppStatus, SystemStatus } from '../model/control-plane.ts';
import { short } from '../model/ids.ts';
import { askDaemon, fetchFrom, segment } from './ask.ts';
import { daemonOptions, examples, fail } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';
import { columns, paint, plain } from './paint.ts';

interface Flags extends DaemonFlags {
  readonly watch?: boolean;
  readonly check?: boolean;
}

const WATCH_EVERY_MS = 1000;

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('status')
    .argument('[app]', 'one app; the whole system when left out')
    .description('what runs, what is wanted, and why they differ')
    .option('-w, --watch', 'show it again whenever it changes, until interrupted')
    .option('--check', 'exit 1 when something is not as wanted');
  examples(
    daemonOptions(command),
    'mainstay status',
    'mainstay status web --json',
    'mainstay status --check',
  ).action(
    act((app: string | undefined, flags: Flags) => {
      if (flags.watch === true) return watch(context, flags, app);
      if (app === undefined)
        return askDaemon<SystemStatus>(context, flags, {
          path: '/v1/status',
          text: systemText(context),
          ...(flags.check === true ? { code: systemCode } : {}),
        });
      const path = appPath(app);
      return askDaemon<AppStatus>(context, flags, {
        path,
        text: appText(context),
        ...(flags.check === true ? { code: appCode } : {}),
      });
    }),
  );
};

function appPath(app: string): string {
  return `/v1/apps/${segment(app)}/status`;
}

async function watch(context: Context, flags: Flags, app: string | undefined): Promise<ExitCode> {
  const signal = context.stopSignal();
  let before = '';
  while (!signal.aborted) {
    const answer = await fetchFrom<AppStatus & SystemStatus>(
      context,
      flags,
      app === undefined ? '/v1/status' : appPath(app),
      { signal },
    );
    if (signal.aborted) break;
    if (!answer.ok) return fail(context, answer.error, flags);
    const text = show(context, flags, app, answer.value);
    if (text !== before)
      context.out(context.terminal && flags.json !== true ? `\u001B[2J\u001B[H${text}` : text);
    before = text;
    await pause(WATCH_EVERY_MS, signal);
  }
  return EXIT.done;
}

function show(
  context: Context,
  flags: Flags,
  app: string | undefined,
  status: AppStatus & SystemStatus,
): string {
  if (flags.json === true) return `${JSON.stringify(status)}\n`;
  return app === undefined ? systemText(context)(status) : appText(context)(status);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { setTimeout: sleep } = await import('node:timers/promises');
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

function systemText(context: Context): (status: SystemStatus) => string {
  const { bold, dim, yellow } = paint(context);
  return (status) => {
    const lines = [`${bold(verdict(context, status.state))}  ${describeCommit(status)}`];
    if (status.reason !== '') lines.push(yellow(plain(status.reason)));
    if (status.mode !== 'normal') lines.push(yellow(`mode: ${status.mode}`));
    if (status.apps.length > 0) {
      const head = ['APP', 'STATE', 'LIVE', 'HEALTHY', 'URL', ''].map(dim);
      lines.push('', columns([head, ...status.apps.map((app) => appRow(context, app))]));
    } else if (status.state === 'empty') {
      lines.push('nothing has been pushed yet: push an intent repository (`mainstay init DIR` makes one)');
    }
    if (status.drift.length > 0) {
      lines.push(
        '',
        dim('DRIFT found since the daemon started, newest first'),
        columns(status.drift.map((drift) => [drift.unit, plain(drift.found), drift.at])),
      );
    }
    lines.push(
      '',
      dim(
        `mainstay ${status.version}; up ${upFor(context, status.started_at)}; presence: ${status.presence}`,
      ),
    );
    return `${lines.join('\n')}\n`;
  };
}

function describeCommit(status: SystemStatus): string {
  if (status.commit === '' && status.head === '') return `branch ${status.branch}`;
  const at = `${short(status.commit) || 'nothing'} on ${status.branch}`;
  return status.head === status.commit ? at : `${at} (newest: ${short(status.head)})`;
}

function verdict(context: Context, state: string): string {
  const { green, red, yellow } = paint(context);
  if (state === 'converged') return green(state);
  return state === 'failed' || state === 'invalid' || state === 'held' ? red(state) : yellow(state);
}

function appRow(context: Context, app: AppStatus): readonly string[] {
  const { green, red } = paint(context);
  const live = app.live_commit === '' ? '-' : short(app.live_commit);
  const healthy = app.healthy ? green('yes') : red('no');
  return [app.app, verdict(context, app.state), live, healthy, app.url, plain(app.reason)];
}

function appText(context: Context): (app: AppStatus) => string {
  const { bold, dim, green, red, yellow } = paint(context);
  return (app) => {
    const facts = [
      ['live', slotText(app.live_slot, app.live_commit)],
      ['previous', slotText(app.previous_slot, app.previous_commit)],
      ['wanted', short(app.desired_commit) || '-'],
      ['healthy', app.healthy ? green('yes') : red('no')],
      ['deployed', app.last_deploy_time || '-'],
      ['url', app.url || '-'],
    ].map(([name = '', value = '']) => [dim(name), value]);
    const lines = [`${bold(app.app)}  ${verdict(context, app.state)}`];
    if (app.reason !== '') lines.push(yellow(plain(app.reason)));
    lines.push(columns(facts));
    if (app.instances.length > 0) {
      const rows = app.instances.map((one) => [
        one.id,
        one.role,
        one.state,
        one.healthy ? 'healthy' : 'unhealthy',
        one.handle,
        `port ${one.port}`,
      ]);
      lines.push('', columns([['INSTANCE', 'ROLE', 'STATE', 'HEALTH', 'HANDLE', ''].map(dim), ...rows]));
    }
    return `${lines.join('\n')}\n`;
  };
}

function slotText(slot: string, commit: string): string {
  return slot === '' ? '-' : `${slot} (${short(commit)})`;
}

function upFor(context: Context, since: string): string {
  const ms = context.now() - Date.parse(since);
  return Number.isFinite(ms) && ms >= 0 ? formatDuration(ms) : '-';
}

function systemCode(status: SystemStatus): ExitCode {
  return status.state === 'converged' || status.state === 'empty' ? EXIT.done : EXIT.notSo;
}

function appCode(app: AppStatus): ExitCode {
  return app.state === 'converged' || app.state === 'suspended' ? EXIT.done : EXIT.notSo;
}
