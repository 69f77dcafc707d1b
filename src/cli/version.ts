/** `mainstay version`. */
import { jsonOption, printJson } from './command.ts';
import type { JsonFlag, Register } from './command.ts';
import { EXIT } from './context.ts';
import { packageVersion } from './package-root.ts';

export const register: Register = (program, { context, act }) => {
  jsonOption(program.command('version').description('print the version')).action(
    act((flags: JsonFlag) => {
      const version = packageVersion();
      if (flags.json === true) printJson(context, { version });
      else context.out(`mainstay ${version}\n`);
      return EXIT.done;
    }),
  );
};
