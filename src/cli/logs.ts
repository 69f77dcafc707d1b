/** `mainstay logs`: what a unit's processes wrote, from the backend; -f goes on. */
import { failure } from '../base/result.ts';
import type { LogLine } from '../ports.ts';
import { query, segment } from './ask.ts';
import { connect } from './client.ts';
import { daemonOptions, examples, fail } from './command.ts';
import type { DaemonFlags, Register } from './command.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';
import { paint } from './paint.ts';
import { readSse } from './sse.ts';

interface Flags extends DaemonFlags {
  readonly follow?: boolean;
  readonly lines: string;
}

export const register: Register = (program, { context, act }) => {
  const command = program
    .command('logs')
    .argument('<unit>', 'e.g. web')
    .description('what a unit wrote on stdout and stderr')
    .option('-f, --follow', 'go on as it writes, until interrupted')
    .option('-n, --lines <count>', 'how many of the last lines', '100');
  examples(daemonOptions(command), 'mainstay logs web', 'mainstay logs web -f').action(
    act((unit: string, flags: Flags) => logs(unit, flags, context)),
  );
};

async function logs(unit: string, flags: Flags, context: Context): Promise<ExitCode> {
  const tail = Number(flags.lines);
  if (!Number.isInteger(tail) || tail < 0) {
    return fail(context, failure('usage', `--lines ${flags.lines}: expected a count`), flags);
  }
  const client = await connect(flags, context);
  if (!client.ok) return fail(context, client.error, flags);
  const path = `/v1/units/${segment(unit)}/logs${query({ tail, follow: flags.follow === true ? true : undefined })}`;
  const signal = flags.follow === true ? context.stopSignal() : undefined;
  const stream = await client.value.stream(path, {
    timeoutMs: flags.follow === true ? 0 : 30_000,
    ...(signal === undefined ? {} : { signal }),
  });
  if (!stream.ok) return fail(context, stream.error, flags);
  try {
    for await (const line of linesOf(stream.value, stream.value.headers['content-type'] ?? ''))
      context.out(show(line, flags, context));
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
  return EXIT.done;
}

/** A follow comes as server-sent events, the rest as one list. */
async function* linesOf(stream: AsyncIterable<Uint8Array>, type: string): AsyncGenerator<LogLine> {
  if (type.startsWith('text/event-stream')) {
    for await (const message of readSse(stream))
      if (message.event !== 'end') yield JSON.parse(message.data) as LogLine;
    return;
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  yield* (JSON.parse(Buffer.concat(chunks).toString('utf8')) as { items: readonly LogLine[] }).items;
}

function show(line: LogLine, flags: Flags, context: Context): string {
  if (flags.json === true) return `${JSON.stringify(line)}\n`;
  return line.stream === 'stderr' ? `${paint(context).yellow(line.text)}\n` : `${line.text}\n`;
}
