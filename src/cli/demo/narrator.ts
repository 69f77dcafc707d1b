/** Tells the demo: numbered steps with how long each took, commands as one would type them, their output indented. */
import { formatDuration } from '../../base/duration.ts';
import type { Context } from '../context.ts';
import { paint } from '../paint.ts';

export interface Step {
  readonly title: string;
  readonly took_ms: number;
}

export interface Narrator {
  /** Runs one step under its title. */
  step<T>(title: string, run: () => Promise<T>): Promise<T>;
  /** A command line as the reader would type it. */
  command(line: string): void;
  /** A line of output. */
  output(line: string): void;
  say(...lines: readonly string[]): void;
  steps(): readonly Step[];
}

export function createNarrator(context: Context, aloud: boolean): Narrator {
  const { bold, dim, green } = paint(context);
  const done: Step[] = [];
  const print = (text: string) => {
    if (aloud) context.out(`${text}\n`);
  };
  return {
    step: async (title, run) => {
      const begun = context.now();
      print(`\n${bold(`${done.length + 1}. ${title}`)}`);
      const value = await run();
      const tookMs = context.now() - begun;
      done.push({ title, took_ms: tookMs });
      print(dim(`   (${formatDuration(tookMs)})`));
      return value;
    },
    command: (line) => print(`   ${green('$')} ${line}`),
    output: (line) => print(`   ${dim('|')} ${line}`),
    say: (...lines) => {
      for (const line of lines) print(`   ${line}`);
    },
    steps: () => done,
  };
}
