/** `mainstay suspend`: leave a unit exactly as it is until resumed, by an intent commit. */
import { askUnit } from './unit.ts';
import { daemonOptions, examples } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('suspend')
    .argument('<unit>', 'e.g. web')
    .description('leave a unit exactly as it is until resumed, by an intent commit');
  examples(daemonOptions(command), 'mainstay suspend web').action(
    act((unit: string, flags: DaemonFlags) => askUnit(context, flags, unit, 'suspend')),
  );
};
