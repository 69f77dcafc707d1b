/** `mainstay deploy`: pins an app to a commit of its source, by an intent commit, and waits for what comes of it. */
import { askDaemon, segment } from './ask.ts';
import { daemonOptions, examples } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';
import { changeApp } from './change-app.ts';
import { planText } from './plan-text.ts';
import type { ShownPlan } from './plan-text.ts';
import { localCommit } from './revision.ts';

interface Flags extends DaemonFlags {
  readonly dryRun?: boolean;
}

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('deploy')
    .argument('<app>', 'name of the app')
    .argument('<ref>', "commit, tag or branch of the app's source")
    .description('put a version of an app live, by an intent commit')
    .option('--dry-run', 'only say what would be done');
  examples(
    daemonOptions(command),
    'mainstay deploy web v1.4.0',
    'mainstay deploy web 3f2a9c1 --dry-run',
  ).action(
    act(async (app: string, ref: string, flags: Flags) => {
      const commit = /^(HEAD|@)/.test(ref) ? await localCommit(ref, context) : ref;
      const path = `/v1/apps/${segment(app)}/deploy`;
      if (flags.dryRun !== true)
        return changeApp(context, flags, { app, path, body: { commit }, verb: 'deploy' });
      const body = { commit, dry_run: true };
      return askDaemon<ShownPlan>(context, flags, {
        path,
        method: 'POST',
        body,
        text: (plan) => planText(plan, context),
      });
    }),
  );
};
