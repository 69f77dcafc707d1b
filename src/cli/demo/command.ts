/** `mainstay demo`: the whole story in a scratch folder, told as it happens, cleaned up whatever comes of it. */
import { failure } from '../../base/result.ts';
import { messageOf } from '../../base/thrown.ts';
import { examples, fail, jsonOption, printJson } from '../command.ts';
import type { JsonFlag, Register } from '../command.ts';
import { EXIT } from '../context.ts';
import type { Context, ExitCode } from '../context.ts';
import { createNarrator } from './narrator.ts';
import { openStage } from './stage.ts';
import { tell } from './story.ts';

interface Flags extends JsonFlag {
  readonly keep?: boolean;
}

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('demo')
    .description('the whole story in a scratch folder, in under a minute')
    .option('--keep', 'keep the scratch folder');
  examples(jsonOption(command), 'mainstay demo', 'mainstay demo --keep').action(
    act((flags: Flags) => demo(flags, context)),
  );
};

async function demo(flags: Flags, context: Context): Promise<ExitCode> {
  const narrator = createNarrator(context, flags.json !== true);
  const signal = context.stopSignal();
  const begun = context.now();
  const stage = await openStage(context, signal);
  try {
    const outcome = await tell(stage, narrator, signal);
    const summary = { ...outcome, took_ms: context.now() - begun, steps: narrator.steps() };
    if (flags.json === true)
      printJson(context, flags.keep === true ? { ...summary, dir: stage.dir } : summary);
    return outcome.ok ? EXIT.done : EXIT.notSo;
  } catch (error) {
    const message = messageOf(error);
    return fail(context, failure('demo-failed', `${message}\n${stage.daemonOutput()}`), flags);
  } finally {
    await stage.close(flags.keep === true);
    if (flags.keep === true) {
      narrator.say(`kept: ${stage.dir}`, `start it again with: mainstay serve --data ${stage.data}`);
    }
  }
}
