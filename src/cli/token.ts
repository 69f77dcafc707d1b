/** `mainstay token`: who else may talk to the daemon. A secret is shown once, when it is made. */
import { Option } from 'commander';
import { columns, plain } from './paint.ts';
import { askDaemon, segment } from './ask.ts';
import { daemonOptions, examples } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';

const ROLES = ['viewer', 'deployer', 'operator', 'backup'];

interface Token {
  readonly name: string;
  readonly role: string;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
}

interface CreateFlags extends DaemonFlags {
  readonly role: string;
  readonly name?: string;
  readonly ttl?: string;
}

export const register: Register = (program, { context, act }) => {
  const token = program.command('token').description('make, list and revoke access tokens');
  const create = token
    .command('create')
    .description('make a token and print it; it is not shown again')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--name <name>', 'what people call it; shows in commits and history')
    .option('--ttl <duration>', 'valid for this long, e.g. 12h (default: until revoked)');
  examples(daemonOptions(create), 'mainstay token create --role deployer --name ci > ci.token').action(
    act((flags: CreateFlags) =>
      askDaemon<{ token: string }>(context, flags, {
        path: '/v1/tokens',
        method: 'POST',
        body: { role: flags.role, name: flags.name, ttl: flags.ttl },
        text: (made) => `${made.token}\n`,
      }),
    ),
  );
  daemonOptions(token.command('list').description('list tokens, without their secrets')).action(
    act((flags: DaemonFlags) =>
      askDaemon<{ items: readonly Token[] }>(context, flags, { path: '/v1/tokens', text: list }),
    ),
  );
  daemonOptions(
    token.command('revoke').description('end a token at once').argument('<name>', 'its name'),
  ).action(
    act((name: string, flags: DaemonFlags) =>
      askDaemon(context, flags, {
        path: `/v1/tokens/${segment(name)}`,
        method: 'DELETE',
        text: () => `revoked ${name}\n`,
      }),
    ),
  );
};

function list(answer: { readonly items: readonly Token[] }): string {
  const rows = answer.items.map((item) => [plain(item.name), item.role, item.created_at, state(item)]);
  return `${columns([['NAME', 'ROLE', 'CREATED', 'STATE'], ...rows])}\n`;
}

function state(token: Token): string {
  if (token.revoked_at !== null) return `revoked ${token.revoked_at}`;
  return token.expires_at === null ? 'valid' : `valid until ${token.expires_at}`;
}
