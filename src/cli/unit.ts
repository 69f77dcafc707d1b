/** The three verbs that act on one unit. Those that change intent answer with the commit they made. */
import { short } from '../model/ids.ts';
import { askDaemon, segment } from './ask.ts';
import type { DaemonFlags } from './command.ts';
import type { Context, ExitCode } from './context.ts';

const DONE = { suspend: 'suspended', resume: 'resumed', restart: 'restarted' } as const;

export function askUnit(
  context: Context,
  flags: DaemonFlags,
  unit: string,
  verb: keyof typeof DONE,
): Promise<ExitCode> {
  return askDaemon<{ readonly commit?: string }>(context, flags, {
    path: `/v1/units/${segment(unit)}/${verb}`,
    method: 'POST',
    body: {},
    timeoutMs: 0,
    text: (answer) =>
      `${DONE[verb]} ${unit}${answer.commit === undefined ? '' : ` by commit ${short(answer.commit)}`}\n`,
  });
}
