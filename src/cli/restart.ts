/** `mainstay restart`: start a unit's processes anew in place. */
import { askUnit } from './unit.ts';
import { daemonOptions, examples } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('restart')
    .argument('<unit>', 'e.g. web')
    .description("start a unit's processes anew in place");
  examples(daemonOptions(command), 'mainstay restart web').action(
    act((unit: string, flags: DaemonFlags) => askUnit(context, flags, unit, 'restart')),
  );
};
