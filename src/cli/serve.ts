/**
 * `mainstay serve`: flags to Config, the daemon's life in the foreground, what it says at start. A signal ends the
 * daemon alone; what runs goes on, unless --drain-on-exit.
 */
import { join } from 'node:path';
import { readConfig } from '../config.ts';
import type { Config, ServeFlags } from '../config.ts';
import type { Daemon } from '../daemon.ts';
import { examples, fail, jsonOption } from './command.ts';
import type { JsonFlag, Register } from './command.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';
import { paint } from './paint.ts';

interface Flags extends ServeFlags, JsonFlag {}

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('serve')
    .description('run the daemon in the foreground')
    .option('--intent <path|url>', 'intent repository; made when it is not there (default: DATA/intent.git)')
    .option('--branch <name>', 'the branch that is kept true (default: main)')
    .option('--data <dir>', 'where state is kept (default: ~/.local/share/mainstay)')
    .option('--listen <host:port>', 'address of the API and of pushes (default: 127.0.0.1:7070)')
    .option('--nats <url|embedded|off>', 'presence plane (default: embedded, where nats-server is on PATH)')
    .option('--public-host <address>', "address on which the apps' ports listen (default: 127.0.0.1)")
    .option('--poll <duration>', 'how often repositories are looked at besides file events (default: 15s)')
    .option('--drain-on-exit', 'on SIGTERM and SIGINT stop what runs, too');
  examples(jsonOption(command), 'mainstay serve', 'mainstay serve --intent ./my-intent --data ./data').action(
    act((flags: Flags) => serve(flags, context)),
  );
};

async function serve(flags: Flags, context: Context): Promise<ExitCode> {
  const config = readConfig(flags, context.env, context.cwd);
  if (!config.ok) return fail(context, config.error, flags);
  const signal = context.stopSignal();
  const { startDaemon } = await import('../daemon.ts');
  const started = await startDaemon(config.value);
  if (!started.ok) return fail(context, started.error, flags);
  const daemon = started.value;
  const stop = () => void daemon.stop({ drain: config.value.drainOnExit });
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  announce(daemon, config.value, flags, context);
  const end = await daemon.done;
  return end.ok ? EXIT.done : fail(context, end.error, flags);
}

function announce(daemon: Daemon, config: Config, flags: Flags, context: Context): void {
  const pushUrl = `${daemon.url}/intent.git`;
  const token = join(config.data, 'operator.token');
  if (flags.json === true) {
    const facts = {
      url: daemon.url,
      push_url: pushUrl,
      intent: config.intent,
      branch: config.branch,
      data: config.data,
      token_file: token,
    };
    context.out(`${JSON.stringify({ ...facts, presence: daemon.presence })}\n`);
    return;
  }
  const { bold, dim } = paint(context);
  const follows = config.remote
    ? `follows  ${config.intent} (${config.branch})`
    : `or path  ${config.intent}`;
  context.out(
    [
      `${bold('mainstay is ready')}`,
      `  push to  ${pushUrl} (any user; password: the token in ${token})`,
      `  ${follows}`,
      `  API      ${daemon.url}`,
      `  data     ${config.data}`,
      `  presence: ${daemon.presence}`,
      dim(
        config.drainOnExit
          ? 'Ctrl-C drains and stops what runs, then the daemon (--drain-on-exit).'
          : 'Ctrl-C ends the daemon and leaves what runs; `mainstay shutdown` stops everything.',
      ),
      '',
    ].join('\n'),
  );
}
