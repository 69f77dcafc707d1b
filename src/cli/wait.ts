/** `mainstay wait`: holds on until the verdict on one commit is known. Never answers for any other commit. */
import { parseDuration } from '../base/duration.ts';
import { failure } from '../base/result.ts';
import type { Failure, Result } from '../base/result.ts';
import type { CommitStatus } from '../model/control-plane.ts';
import { short } from '../model/ids.ts';
import { query, segment } from './ask.ts';
import { connect } from './client.ts';
import type { Client } from './client.ts';
import { daemonOptions, examples, fail, printJson } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';
import { paint, plain } from './paint.ts';
import { localCommit } from './revision.ts';

interface Flags extends DaemonFlags {
  readonly timeout: string;
}

const POLL_MS = 30_000;
const RETRY_MS = 250;
/** A commit that is just being pushed is known by then. */
const UNKNOWN_MS = 10_000;

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('wait')
    .argument('<ref>', 'a commit, or a branch or tag of the repository you are in')
    .description('wait until a commit has converged (exit 0), or has failed or is held (exit 1)')
    .option('--timeout <duration>', 'how long to wait', '5m');
  examples(daemonOptions(command), 'git push && mainstay wait HEAD').action(
    act((ref: string, flags: Flags) => wait(ref, flags, context)),
  );
};

async function wait(ref: string, flags: Flags, context: Context): Promise<ExitCode> {
  const limit = parseDuration(flags.timeout);
  if (limit === null)
    return fail(
      context,
      failure('usage', `--timeout ${flags.timeout}: expected a duration such as 30s or 5m`),
      flags,
    );
  const client = await connect(flags, context);
  if (!client.ok) return fail(context, client.error, flags);
  const commit = await localCommit(ref, context);
  const status = await poll(client.value, commit, context.now() + limit, context);
  if (!status.ok) return fail(context, status.error, flags);
  return report(status.value, flags, context);
}

/** The newest status at the deadline, or the first one whose verdict is done. A commit not yet seen is waited for. */
async function poll(
  client: Client,
  commit: string,
  deadline: number,
  context: Context,
): Promise<Result<CommitStatus>> {
  let asked = commit;
  let revision: number | undefined;
  let last: Result<CommitStatus> | null = null;
  const unknownUntil = Math.min(deadline, context.now() + UNKNOWN_MS);
  for (;;) {
    const left = Math.max(0, deadline - context.now());
    const waitMs = Math.min(left, POLL_MS);
    const path = `/v1/commits/${segment(asked)}${query({ wait: `${Math.max(1, waitMs)}ms`, revision })}`;
    const answer = await client.ask<CommitStatus>(path, { timeoutMs: waitMs + 10_000 });
    if (answer.ok) {
      last = answer;
      // A branch may move meanwhile; the question is about the commit that it named first.
      asked = answer.value.commit;
      revision = answer.value.revision;
      if (answer.value.verdict.done) return answer;
    } else if (!mayPass(answer.error, last !== null)) {
      return answer;
    }
    if (context.now() >= (last === null ? unknownUntil : deadline)) return last ?? answer;
    if (!answer.ok) await pause(Math.min(RETRY_MS, Math.max(1, deadline - context.now())));
  }
}

/** Not known yet, or the daemon is only just starting, or again: the next question may be answered. */
function mayPass(failure: Failure, known: boolean): boolean {
  const status = failure.details?.['status'];
  return status === 404 || status === 503 || (known && failure.code === 'unreachable');
}

async function pause(ms: number): Promise<void> {
  const { setTimeout: sleep } = await import('node:timers/promises');
  await sleep(ms);
}

function report(status: CommitStatus, flags: Flags, context: Context): ExitCode {
  const { verdict } = status;
  const done = verdict.done && verdict.ok;
  if (flags.json === true) printJson(context, status);
  else if (!verdict.done) {
    const why = status.reason === null ? '' : `: ${plain(status.reason)}`;
    context.err(
      `${paint(context).yellow('not yet')} after ${flags.timeout}: ${short(status.commit)} is ${status.state}${why}\n`,
    );
  } else {
    const { green, red } = paint(context);
    context.out(`${done ? green(plain(verdict.message)) : red(plain(verdict.message))}\n`);
    if (!done) for (const line of status.diagnostics) context.out(`${line}\n`);
  }
  return done ? EXIT.done : EXIT.notSo;
}
