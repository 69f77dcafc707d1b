/**
 * Starts one process in a session and group of its own that outlives the daemon: nothing on stdin, both outputs
 * appended to the log file by the process itself, no channel back to us.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { inherited } from '../../src/base/inherited.ts';
import { err, failure, ok } from '../../src/base/result.ts';
import type { Failure, Result } from '../../src/base/result.ts';
import { commandArguments, commandText } from '../../src/model/command.ts';
import type { InstanceSpec } from '../../src/model/instance.ts';

/** The whole environment of an instance: inherited names, the spec's, and our markers over both. */
export function instanceEnvironment(
  spec: InstanceSpec,
  owner: string,
  daemon: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return { ...inherited(daemon), ...spec.env, MAINSTAY_OWNER: owner, MAINSTAY_INSTANCE_ID: spec.id };
}

/** A started child whose `exit` nobody has listened to yet, or `start-failed`. Never rejects. */
export async function startProcess(
  spec: InstanceSpec,
  environment: Readonly<Record<string, string>>,
  logDescriptor: number,
): Promise<Result<ChildProcess & { readonly pid: number }>> {
  const [program, ...rest] = commandArguments(spec.command);
  if (program === undefined) return err(await explain(spec, 'the command is an empty list'));
  let child: ChildProcess;
  try {
    child = spawn(program, rest, {
      cwd: spec.dir,
      env: { ...environment },
      detached: true,
      stdio: ['ignore', logDescriptor, logDescriptor],
    });
  } catch (error) {
    return err(await explain(spec, (error as Error).message));
  }
  // The pid is known at once when the program has been executed; otherwise `error` says why it was not.
  if (child.pid === undefined) {
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => child.once('error', resolve));
    return err(await explain(spec, error.message, error.code));
  }
  child.on('error', () => undefined);
  child.unref();
  return ok(child as ChildProcess & { readonly pid: number });
}

async function explain(spec: InstanceSpec, reason: string, code?: string): Promise<Failure> {
  const what = `${spec.app} could not be started with \`${commandText(spec.command)}\``;
  const folder = await stat(spec.dir).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!folder) return failure('start-failed', `${what}: its folder ${spec.dir} is not there`);
  if (code === 'ENOENT') {
    return failure(
      'start-failed',
      `${what}: no such program; check the command, or install it in setup_command`,
    );
  }
  if (code === 'EACCES')
    return failure('start-failed', `${what}: the file is not executable; set its mode to 755`);
  const passing = code === 'EAGAIN' || code === 'ENOMEM' || code === 'EMFILE' || code === 'ENFILE';
  return failure('start-failed', `${what}: ${reason}`, passing ? { retry: { kind: 'backoff' } } : {});
}
