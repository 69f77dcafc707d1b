/** The commonest shape of a command: ask the daemon one thing, print the answer as text or as JSON. */
import type { Result } from '../base/result.ts';
import { connect } from './client.ts';
import type { Ask } from './client.ts';
import { fail, printJson } from './command.ts';
import type { DaemonFlags } from './command.ts';
import { EXIT } from './context.ts';
import type { Context, ExitCode } from './context.ts';

export interface Question<T> extends Ask {
  readonly path: string;
  /** The answer for people, with its last newline. */
  text(answer: T): string;
  /** 0 unless the answer itself is a no. */
  code?(answer: T): ExitCode;
}

export async function askDaemon<T>(
  context: Context,
  flags: DaemonFlags,
  question: Question<T>,
): Promise<ExitCode> {
  const answer = await fetchFrom<T>(context, flags, question.path, question);
  if (!answer.ok) return fail(context, answer.error, flags);
  if (flags.json === true) printJson(context, answer.value);
  else context.out(question.text(answer.value));
  return question.code?.(answer.value) ?? EXIT.done;
}

/** The answer itself, for commands that do more with it. */
export async function fetchFrom<T>(
  context: Context,
  flags: DaemonFlags,
  path: string,
  ask?: Ask,
): Promise<Result<T>> {
  const client = await connect(flags, context);
  return client.ok ? client.value.ask<T>(path, ask) : client;
}

/** One segment of a path. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

/** `?a=1&b=2` of what is given; empty when nothing is. */
export function query(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given: [string, string][] = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)] as [string, string]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}
