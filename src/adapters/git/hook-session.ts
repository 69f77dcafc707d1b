/**
 * The daemon's side of one conversation with git's hooks: reads what a push brings, asks the gate, sends back lines
 * and a verdict. Pure transport: what is allowed, and what is said, is the gate's.
 *
 * In: `hook NAME`, `by`, `dir`, `objects`, `alternates`, `ref OLD NEW NAME` …, `end`. Out: `print TEXT` …, `exit CODE`.
 */
import type { Readable, Writable } from 'node:stream';

import { traceOf } from '../../base/thrown.ts';
import type { PushGate, PushRequest, RefUpdate } from '../../model/push.ts';
import type { Log } from '../../ports.ts';

export interface HookSessionOptions {
  readonly gate: PushGate;
  readonly log: Log;
  /** Who pushes, where the transport knows it; otherwise the hook says so. */
  readonly by?: string;
  /** Where the hook must have been run; a copied repository must not speak for ours. */
  readonly gitDir?: string;
  /** The pusher is gone: nobody reads the lines any more. The check goes on, following ends. */
  readonly left?: AbortSignal;
  readonly checkLimitMs?: number;
  readonly followLimitMs?: number;
}

const CHECK_LIMIT_MS = 60_000;
const FOLLOW_LIMIT_MS = 30 * 60_000;
const HEADER_MAX_BYTES = 8 * 1024 * 1024;
const UNREAD_MAX_BYTES = 1024 * 1024;
const NO_OBJECT = /^0+$/;

interface HookCall extends PushRequest {
  readonly hook: string;
  readonly dir: string | null;
}

/** Serves every hook that speaks on this pair of streams, one after the other, until the input ends. Never rejects. */
export async function serveHooks(
  input: Readable,
  output: Writable,
  options: HookSessionOptions,
): Promise<void> {
  output.on('error', () => undefined);
  const gone = new AbortController();
  let calls: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve) => {
    let pending = '';
    let lines: string[] = [];
    let size = 0;
    const end = (): void => {
      gone.abort();
      resolve();
    };
    input.setEncoding('utf8');
    input.on('error', end);
    input.on('close', end);
    input.on('end', end);
    input.on('data', (text: string) => {
      size += text.length;
      if (size > HEADER_MAX_BYTES) {
        input.destroy();
        return;
      }
      const parts = (pending + text).split('\n');
      pending = parts.pop() ?? '';
      for (const line of parts) {
        if (line !== 'end') lines.push(line);
        else {
          const call = parseCall(lines, options.by);
          lines = [];
          size = 0;
          calls = calls.then(() => answer(call, output, { options, gone: gone.signal }));
        }
      }
    });
  });
  await calls;
}

interface SessionContext {
  readonly options: HookSessionOptions;
  readonly gone: AbortSignal;
}

async function answer(call: HookCall, output: Writable, context: SessionContext): Promise<void> {
  const print = printer(output);
  const { options } = context;
  let code = 1;
  try {
    if (options.gitDir !== undefined && call.dir !== options.gitDir) {
      print(`error: Mainstay runs for another repository (${options.gitDir}), not for this copy`);
    } else if (call.hook === 'pre-receive') {
      code = (await check(call, print, context)) ? 0 : 1;
    } else if (call.hook === 'post-receive') {
      await follow(call, print, context);
      code = 0;
    }
  } catch (error) {
    options.log.error('a hook failed', {
      hook: call.hook,
      error: traceOf(error),
    });
    print("error: Mainstay failed inside; its log has more. This is Mainstay's fault, not your push's");
  }
  if (output.writable) output.write(`exit ${code}\n`);
}

async function check(
  call: HookCall,
  print: (line: string) => void,
  context: SessionContext,
): Promise<boolean> {
  const limitMs = context.options.checkLimitMs ?? CHECK_LIMIT_MS;
  const late = AbortSignal.timeout(limitMs);
  const verdict = context.options.gate.check(call, print, AbortSignal.any([late, context.gone]));
  const allowed = await Promise.race([verdict, aborted(late)]);
  if (allowed !== undefined) return allowed;
  print(`error: the check did not end within ${limitMs / 1000} s; push again`);
  return false;
}

async function follow(call: HookCall, print: (line: string) => void, context: SessionContext): Promise<void> {
  const { left, gate, followLimitMs } = context.options;
  const late = AbortSignal.timeout(followLimitMs ?? FOLLOW_LIMIT_MS);
  const signal = AbortSignal.any([late, context.gone, ...(left === undefined ? [] : [left])]);
  await Promise.race([gate.follow(call, print, signal), aborted(signal)]);
  if (late.aborted) print("this is taking long; the work goes on, follow it with 'mainstay wait'");
}

/** Lines that nobody reads are dropped, so a stalled pusher costs a bounded buffer. */
function printer(output: Writable): (line: string) => void {
  return (text) => {
    for (const line of text.split('\n')) {
      if (!output.writable || output.writableLength > UNREAD_MAX_BYTES) return;
      output.write(`print ${plain(line)}\n`);
    }
  };
}

/** A terminal must see text, whatever a file or a program said. Tabs stay. */
function plain(line: string): string {
  return line.replace(/(?!\t)\p{Cc}\[[0-9;?]*[ -/]*[@-~]/gu, '').replace(/(?!\t)\p{Cc}/gu, '');
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

function parseCall(lines: readonly string[], by: string | undefined): HookCall {
  const fields = new Map<string, string>();
  const updates: RefUpdate[] = [];
  for (const line of lines) {
    const space = line.indexOf(' ');
    const [key, value] = [line.slice(0, space), line.slice(space + 1)];
    if (key === 'ref') updates.push(parseUpdate(value));
    else fields.set(key, value);
  }
  const objectDirectory = fields.get('objects');
  return {
    hook: fields.get('hook') ?? '',
    dir: fields.get('dir') ?? null,
    by: by ?? plain(fields.get('by') ?? 'unknown'),
    updates,
    quarantine:
      objectDirectory === undefined ? null : { objectDirectory, alternates: fields.get('alternates') ?? '' },
  };
}

function parseUpdate(text: string): RefUpdate {
  const [before = '', after = '', ...name] = text.split(' ');
  return {
    ref: name.join(' '),
    before: NO_OBJECT.test(before) ? null : before,
    after: NO_OBJECT.test(after) ? null : after,
  };
}
