/** `mainstay resume`: let a suspended unit follow intent again, by an intent commit. */
import { askUnit } from './unit.ts';
import { daemonOptions, examples } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('resume')
    .argument('<unit>', 'e.g. web')
    .description('let a suspended unit follow intent again, by an intent commit');
  examples(daemonOptions(command), 'mainstay resume web').action(
    act((unit: string, flags: DaemonFlags) => askUnit(context, flags, unit, 'resume')),
  );
};
