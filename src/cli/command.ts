/** What every command file is built from: how it joins the tree, its shared options, how its answer leaves. */
import { Option } from 'commander';
import type { Command } from 'commander';
import type { Failure } from '../base/result.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';
import { paint } from './paint.ts';

/** Adds one command to the tree. `act` wraps its action so that the number it returns becomes the exit code. */
export type Register = (program: Command, shell: Shell) => void;

export interface Shell {
  readonly context: Context;
  readonly act: <Args extends unknown[]>(
    action: (...args: Args) => Promise<ExitCode> | ExitCode,
  ) => (...args: Args) => Promise<void>;
}

export interface JsonFlag {
  readonly json?: boolean;
}

export interface DaemonFlags extends JsonFlag {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly data?: string;
}

export function jsonOption(command: Command): Command {
  return command.option('--json', 'print the answer as JSON');
}

/** The options by which a command finds the daemon and its token. */
export function daemonOptions(command: Command): Command {
  return jsonOption(command)
    .addOption(new Option('--url <url>', 'the daemon (MAINSTAY_URL; default http://127.0.0.1:7070)'))
    .addOption(
      new Option(
        '--token-file <path>',
        'file with the access token (else MAINSTAY_TOKEN, else the data folder)',
      ),
    )
    .addOption(new Option('--data <dir>', 'data folder of a local daemon: gives its address and token'));
}

/** Examples at the end of a command's help. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}

export function printJson(context: Context, value: unknown): void {
  context.out(`${JSON.stringify(value, null, 2)}\n`);
}

/** Says what failed, on stderr for people and as JSON on stdout for machines, and gives the exit code that fits. */
export function fail(context: Context, failure: Failure, flags: JsonFlag): ExitCode {
  if (flags.json === true) {
    printJson(context, {
      code: failure.code,
      message: failure.message,
      retriable: failure.retry.kind !== 'never',
      ...(failure.details === undefined ? {} : { details: failure.details }),
    });
  } else {
    const { red } = paint(context);
    context.err(`${red('error:')} ${failure.message}\n`);
    const hint = failure.details?.['hint'];
    if (typeof hint === 'string') context.err(`${hint}\n`);
    const tail = failure.details?.['log_tail'];
    if (Array.isArray(tail)) for (const line of tail) context.err(`  | ${String(line)}\n`);
  }
  return exitFor(failure);
}

/** Trouble on the way to the daemon is 2; an answer of the daemon that says no is 1. */
function exitFor(failure: Failure): ExitCode {
  if (['usage', 'unreachable', 'invalid-request'].includes(failure.code)) return EXIT.usage;
  return NOT_ASKED.has(Number(failure.details?.['status'])) ? EXIT.usage : EXIT.notSo;
}

/** Statuses with which the daemon has not looked at the question itself. */
const NOT_ASKED = new Set([401, 403, 405, 408, 413, 421, 429, 503]);
