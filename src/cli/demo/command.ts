/** `mainstay demo`: the whole story in a scratch folder. */
import type { Register } from '../command.ts';
import { EXIT } from '../context.ts';

export const register: Register = (program, { act }) => {
  program.command('demo').action(act(() => EXIT.done));
};
