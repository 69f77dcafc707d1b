/** `mainstay shutdown`: drains and stops everything that runs, then the daemon, and returns when it is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDuration } from '../base/duration.ts';
import { failure } from '../base/result.ts';
import { connect } from './client.ts';
import type { Client } from './client.ts';
import { daemonOptions, examples, fail, printJson } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';

interface Flags extends DaemonFlags {
  readonly timeout: string;
}

const ASK_EVERY_MS = 100;

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('shutdown')
    .description('drain and stop everything that runs, then the daemon')
    .option('--timeout <duration>', 'how long to wait until it is gone', '2m');
  examples(daemonOptions(command), 'mainstay shutdown').action(
    act((flags: Flags) => shutdown(flags, context)),
  );
};

async function shutdown(flags: Flags, context: Context): Promise<ExitCode> {
  const limit = parseDuration(flags.timeout);
  if (limit === null)
    return fail(
      context,
      failure('usage', `--timeout ${flags.timeout}: expected a duration such as 2m`),
      flags,
    );
  const client = await connect(flags, context);
  if (!client.ok) return fail(context, client.error, flags);
  const begun = context.now();
  const asked = await client.value.ask('/v1/shutdown', { method: 'POST', body: {} });
  if (!asked.ok) return fail(context, asked.error, flags);
  if (!(await gone(client.value, begun + limit, context))) {
    return fail(
      context,
      failure('still-running', `the daemon has not ended in ${flags.timeout}; it is still draining`),
      flags,
    );
  }
  if (flags.json === true) printJson(context, { stopped: true, took_ms: context.now() - begun });
  else context.out('everything has stopped\n');
  return EXIT.done;
}

/** True once nothing listens any more; the daemon closes its listener last. */
async function gone(client: Client, deadline: number, context: Context): Promise<boolean> {
  while (context.now() < deadline) {
    const answer = await client.ask('/healthz', { timeoutMs: 5000 });
    if (!answer.ok && answer.error.code === 'unreachable') return true;
    await sleep(ASK_EVERY_MS);
  }
  return false;
}
