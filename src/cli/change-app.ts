/** What deploy and rollback share: the call that returns once the version is live or refused, and its verdict. */
import type { DeployAnswer } from '../model/control-plane.ts';
import { short } from '../model/ids.ts';
import { askDaemon } from './ask.ts';
import type { DaemonFlags } from './command.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';
import { paint, plain } from './paint.ts';

export interface AppChange {
  readonly app: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly verb: 'deploy' | 'rollback';
}

export function changeApp(context: Context, flags: DaemonFlags, change: AppChange): Promise<ExitCode> {
  return askDaemon<DeployAnswer>(context, flags, {
    path: change.path,
    method: 'POST',
    body: change.body,
    timeoutMs: 0,
    text: (answer) => verdict(context, change, answer),
    code: (answer) => (answer.success ? EXIT.done : EXIT.notSo),
  });
}

function verdict(context: Context, change: AppChange, answer: DeployAnswer): string {
  const { dim, green, red } = paint(context);
  if (answer.success) return `${green('live:')} ${change.app} at ${short(answer.commit)} in ${answer.slot}\n`;
  const still = answer.previous_commit ? `; ${short(answer.previous_commit)} stays live` : '';
  const lines = [
    `${red('not live:')} ${change.verb} of ${change.app}: ${plain(answer.reason ?? 'no reason given')}${still}`,
  ];
  if (answer.health !== undefined)
    lines.push(dim(`health: ${answer.health.attempts} attempts, last: ${plain(answer.health.last)}`));
  for (const line of answer.log_tail ?? []) lines.push(dim(`  | ${plain(line)}`));
  return `${lines.join('\n')}\n`;
}
