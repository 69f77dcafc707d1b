/** Arguments to one command and its exit code. Usage errors are 2 and say which help to read. */
import { Command, CommanderError } from 'commander';
import { printJson } from './command.ts';
import { COMMANDS, LATER } from './commands.ts';
import type { Entry } from './commands.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';

/** Runs one command line (without executable and script). Never rejects for what a user can do wrong. */
export async function run(args: readonly string[], context: Context): Promise<ExitCode> {
  const line = args[0] === '--version' || args[0] === '-V' ? ['version', ...args.slice(1)] : args;
  if (LATER.includes(line[0] ?? '')) return notYet(line[0] ?? '', args, context);
  const named = COMMANDS.filter((entry) => entry.name === line[0]);
  const outcome: { code: ExitCode } = { code: EXIT.done };
  const program = await build(named.length > 0 ? named : COMMANDS, context, outcome);
  try {
    await program.parseAsync([...line], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.done;
    if (args.includes('--json')) {
      const message = error.message.replace(/^error: /, '');
      printJson(context, { code: 'usage', message, retriable: false });
    }
    return EXIT.usage;
  }
  return outcome.code;
}

function notYet(name: string, args: readonly string[], context: Context): ExitCode {
  const message = `mainstay ${name} is for a later version; this one does not have it yet`;
  context.err(`error: ${message}\n`);
  if (args.includes('--json')) printJson(context, { code: 'not-supported-yet', message, retriable: false });
  return EXIT.usage;
}

/** The tree of these commands, for running one and for checking all of them against the documentation. */
export async function build(
  entries: readonly Entry[],
  context: Context,
  outcome: { code: ExitCode },
): Promise<Command> {
  const program = new Command('mainstay')
    .description('What is on main stays running: push YAML intent with git, see it converge, keep it true.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.out(text),
      writeErr: (text) => context.err(text),
      getOutHelpWidth: () => Math.min(context.columns, 110),
      getErrHelpWidth: () => Math.min(context.columns, 110),
      getOutHasColors: () => context.color,
      getErrHasColors: () => context.color,
    })
    .showHelpAfterError('(add --help to see what this command takes)')
    .option('-V, --version', 'print the version')
    .addHelpText(
      'after',
      '\nStart here:\n  $ mainstay demo\n  $ mainstay init my-intent\n\n' +
        'Exit codes: 0 done; 1 what was asked for is not so; 2 wrong usage or no daemon; 3 `plan --detailed-exitcode` has work.',
    );
  const loaded = await Promise.all(entries.map((entry) => entry.load()));
  for (const { register } of loaded) {
    register(program, {
      context,
      act:
        (action) =>
        async (...args) => {
          outcome.code = await action(...args);
        },
    });
  }
  return program;
}
