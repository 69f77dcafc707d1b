/** `mainstay token`: who else may talk to the daemon. A secret is shown once, when it is made. */
import { Option } from 'commander';
import { columns, plain } from './paint.ts';
import { askDaemon, segment } from './ask.ts';
import { daemonOptions, examples } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';

const ROLES = ['viewer', 'deployer', 'operator', 'backup', 'node'];

interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly created_at?: string;
}

export const register: Register = (program, { context, act }) => {
  const token = program.command('token').description('make, list and revoke access tokens');
  const create = token
    .command('create')
    .description('make a token and print it; it is not shown again')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--name <name>', 'what people call it; shows in commits and history');
  examples(daemonOptions(create), 'mainstay token create --role deployer --name ci > ci.token').action(
    act((flags: DaemonFlags & { role: string; name?: string }) =>
      askDaemon<{ token: string }>(context, flags, {
        path: '/v1/tokens',
        method: 'POST',
        body: { role: flags.role, ...(flags.name === undefined ? {} : { name: flags.name }) },
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
    token.command('revoke').description('end a token at once').argument('<token>', 'its id'),
  ).action(
    act((id: string, flags: DaemonFlags) =>
      askDaemon(context, flags, {
        path: `/v1/tokens/${segment(id)}`,
        method: 'DELETE',
        text: () => `revoked ${id}\n`,
      }),
    ),
  );
};

function list(answer: { readonly items: readonly Token[] }): string {
  const rows = answer.items.map((item) => [item.id, plain(item.name), item.role, item.created_at ?? '']);
  return `${columns([['ID', 'NAME', 'ROLE', 'CREATED'], ...rows])}\n`;
}
