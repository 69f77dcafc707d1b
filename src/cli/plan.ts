/** `mainstay plan`: what would be done, in order, each action with its reason. Changes nothing. */
import { Option } from 'commander';
import { failure } from '../base/result.ts';
import { fetchFrom, query } from './ask.ts';
import { daemonOptions, examples, fail, printJson } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';
import { planMarkdown, planText } from './plan-text.ts';
import type { ShownPlan } from './plan-text.ts';
import { localCommit } from './revision.ts';

interface Flags extends DaemonFlags {
  readonly against: string;
  readonly format: 'text' | 'json' | 'markdown' | 'svg';
  readonly detailedExitcode?: boolean;
}

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('plan')
    .argument('[ref]', 'commit or branch; the watched branch when left out')
    .description('what would be done, in order, with the reason of each action; changes nothing')
    .option('--against <what>', 'live, or another commit or branch', 'live')
    .addOption(
      new Option('--format <format>', 'how to print it')
        .choices(['text', 'json', 'markdown', 'svg'])
        .default('text'),
    )
    .option('--detailed-exitcode', 'exit 3 when there is something to do');
  examples(
    daemonOptions(command),
    'mainstay plan',
    'mainstay plan my-branch --format markdown',
    'mainstay plan HEAD --against HEAD~1',
  ).action(act((ref: string | undefined, flags: Flags) => plan(ref, flags, context)));
};

async function plan(ref: string | undefined, flags: Flags, context: Context): Promise<ExitCode> {
  if (flags.format === 'svg') {
    return fail(
      context,
      failure(
        'usage',
        '--format svg draws the topology, which this version does not have yet; use text, json or markdown',
      ),
      flags,
    );
  }
  const against = flags.against === 'live' ? undefined : await revision(flags.against, context);
  const path = `/v1/plan${query({ ref: ref === undefined ? undefined : await revision(ref, context), against })}`;
  const answer = await fetchFrom<ShownPlan>(context, flags, path);
  if (!answer.ok) return fail(context, answer.error, flags);
  if (flags.json === true || flags.format === 'json') printJson(context, answer.value);
  else
    context.out(flags.format === 'markdown' ? planMarkdown(answer.value) : planText(answer.value, context));
  return flags.detailedExitcode === true && answer.value.actions.length > 0 ? EXIT.work : EXIT.done;
}

/** `HEAD~1` and the like mean the repository one stands in; a branch name means the daemon's, which may be newer. */
function revision(ref: string, context: Context): Promise<string> {
  return /^(HEAD|@)/.test(ref) ? localCommit(ref, context) : Promise.resolve(ref);
}
