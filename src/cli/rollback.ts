/** `mainstay rollback`: puts the kept previous version of an app live again, by an intent commit. */
import { askDaemon, segment } from './ask.ts';
import { changeApp } from './change-app.ts';
import { daemonOptions, examples } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';
import { planText } from './plan-text.ts';
import type { ShownPlan } from './plan-text.ts';

interface Flags extends DaemonFlags {
  readonly dryRun?: boolean;
}

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('rollback')
    .argument('<app>', 'name of the app')
    .description('put the previous version of an app live again, by an intent commit')
    .option('--dry-run', 'only say what would be done');
  examples(daemonOptions(command), 'mainstay rollback web').action(
    act((app: string, flags: Flags) => {
      const path = `/v1/apps/${segment(app)}/rollback`;
      if (flags.dryRun !== true) return changeApp(context, flags, { app, path, body: {}, verb: 'rollback' });
      const body = { dry_run: true };
      return askDaemon<ShownPlan>(context, flags, {
        path,
        method: 'POST',
        body,
        text: (plan) => planText(plan, context),
      });
    }),
  );
};
