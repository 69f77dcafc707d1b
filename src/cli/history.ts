/** `mainstay history`: from the notes, newest first: commit, when, by whom, result, duration. */
import { formatDuration } from '../base/duration.ts';
import { failure } from '../base/result.ts';
import type { HistoryItem, Page } from '../model/control-plane.ts';
import { short } from '../model/ids.ts';
import { askDaemon, query } from './ask.ts';
import { daemonOptions, examples, fail } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';
import type { Context } from './context.ts';
import { columns, paint, plain } from './paint.ts';

interface Flags extends DaemonFlags {
  readonly limit: string;
}

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('history')
    .argument('[app]', 'only commits that concern this app')
    .description('what was pushed, by whom, what came of it and how long it took')
    .option('-n, --limit <count>', 'how many commits', '20');
  examples(daemonOptions(command), 'mainstay history', 'mainstay history web -n 5').action(
    act((app: string | undefined, flags: Flags) => {
      const limit = Number(flags.limit);
      if (!Number.isInteger(limit) || limit < 1) {
        return fail(context, failure('usage', `--limit ${flags.limit}: expected a count from 1`), flags);
      }
      return askDaemon<Page<HistoryItem>>(context, flags, {
        path: `/v1/history${query({ app, limit })}`,
        text: table(context, app),
      });
    }),
  );
};

function table(context: Context, app: string | undefined): (page: Page<HistoryItem>) => string {
  const { dim, green, red, yellow } = paint(context);
  const colour = (state: string) =>
    state === 'converged'
      ? green(state)
      : state === 'failed' || state === 'invalid' || state === 'held'
        ? red(state)
        : yellow(state);
  return (page) => {
    if (page.items.length === 0)
      return app === undefined
        ? 'nothing has been pushed yet\n'
        : `no commit so far concerns an app ${app}\n`;
    const rows = page.items.map((item) => [
      short(item.commit),
      item.at.replace(/\.\d+Z$/, 'Z'),
      plain(item.by).replace(/ <.*>$/, ''),
      colour(item.state),
      item.took_ms === null ? '-' : formatDuration(item.took_ms),
      plain(item.reason === null ? item.subject : `${item.subject} (${item.reason})`),
    ]);
    return `${columns([['COMMIT', 'WHEN', 'BY', 'RESULT', 'TOOK', 'SUBJECT'].map(dim), ...rows])}\n`;
  };
}
