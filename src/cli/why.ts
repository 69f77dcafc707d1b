/** `mainstay why`: why a unit is as it is: what was last done to it and on whose word, and what blocks it now. */
import { formatDuration } from '../base/duration.ts';
import type { Why } from '../model/control-plane.ts';
import { short } from '../model/ids.ts';
import { askDaemon, segment } from './ask.ts';
import { daemonOptions, examples } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';
import type { Context } from './context.ts';
import { columns, paint, plain } from './paint.ts';

export const register: Register = (program, { context, act }) => {
  const command = program.command('why').argument('<unit>', 'e.g. web').description('why a unit is as it is');
  examples(daemonOptions(command), 'mainstay why web').action(
    act((unit: string, flags: DaemonFlags) =>
      askDaemon<Why>(context, flags, { path: `/v1/why/${segment(unit)}`, text: explain(context) }),
    ),
  );
};

function explain(context: Context): (why: Why) => string {
  const { bold, dim, yellow } = paint(context);
  return (why) => {
    const rows = [
      ['wanted', plain(why.wanted)],
      ['is', plain(why.is)],
    ];
    const last = why.last_action;
    if (last !== null) {
      rows.push([
        'last action',
        `${last.do} (${last.result}, ${formatDuration(last.took_ms)}) at ${last.at}`,
      ]);
      rows.push(
        ['because', plain(last.because)],
        ['on the word of', short(last.commit) || '-'],
        ['seen then', plain(last.observed)],
      );
    }
    if (why.blocked !== null) {
      const until =
        why.blocked.until === null
          ? 'until intent, source or the world changes'
          : `until ${why.blocked.until}`;
      rows.push(['blocked', yellow(`${plain(why.blocked.reason)} [${why.blocked.code}], ${until}`)]);
    }
    rows.push(['next', plain(why.next)]);
    return `${bold(why.unit)}\n${columns(rows.map(([name = '', value = '']) => [dim(name), value]))}\n`;
  };
}
