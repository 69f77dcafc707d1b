/**
 * Runs `setup_command` in a slot, in a process group of its own, and leaves nothing of it behind: not at its end, not
 * at its limit, not when a killed daemon left it running.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inherited } from '../../base/inherited.ts';
import { err, failure, ok, type Failure, type Result } from '../../base/result.ts';
import type { Clock, CommandRequest, CommandRunner, Log, ProcessTable } from '../../ports.ts';
import { appFolder } from './app-folder.ts';
import { openOutputLog, type OutputLog } from './output-log.ts';
import { endGroup, endMarked } from './process-group.ts';
import { takeSetups, writeSetup } from './setup-record.ts';

export interface CommandRunnerOptions {
  readonly dataDir: string;
  /** Names this installation, the same across restarts of the daemon. */
  readonly owner: string;
  readonly clock: Clock;
  readonly processes: ProcessTable;
  readonly log: Log;
  /** Between SIGTERM and SIGKILL; default 500 ms: a newer commit must not wait for a setup that clings on. */
  readonly killGraceMs?: number;
}

export interface SetupRunner extends CommandRunner {
  /** At start, before any slot is recovered: ends setups that a killed daemon left. How many there were. */
  endStrays(): Promise<number>;
}

type Outcome =
  | { readonly kind: 'exited'; readonly code: number | null; readonly signal: string | null }
  | { readonly kind: 'not-started'; readonly reason: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'aborted' };

/** Output that is still on its way when the last process has ended. */
const OUTPUT_WAIT_MS = 500;

/**
 * A string runs as `sh -c`, a list as it is. Failures: `setup-failed` and `setup-timeout` (details `log_tail`,
 * `log_file`, `exit_code`), `aborted`.
 */
export function createCommandRunner(options: CommandRunnerOptions): SetupRunner {
  const running = join(options.dataDir, 'run', 'setup');
  const nameOf = (request: CommandRequest): string => `${options.owner}/${request.app}/${request.slot}`;
  const marker = `MAINSTAY_SETUP_OWNER=${options.owner}`;
  const graceMs = options.killGraceMs ?? 500;

  async function run(request: CommandRequest, signal: AbortSignal): Promise<Result<void>> {
    const logFile = appFolder(options.dataDir, request.app).setupLog(request.slot);
    const output = await openOutputLog(logFile);
    const child = start(request, { MAINSTAY_SETUP_OWNER: options.owner, MAINSTAY_SETUP: nameOf(request) });
    const outcome = await follow(child, output, request, signal);
    await output.close();
    return judge(outcome, request, { tail: output.tail(), logFile });
  }

  async function follow(
    child: ChildProcess,
    output: OutputLog,
    request: CommandRequest,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const exited = exitOf(child);
    child.stdout?.on('data', (chunk: Buffer) => output.write(chunk));
    child.stderr?.on('data', (chunk: Buffer) => output.write(chunk));
    const { pid } = child;
    if (pid === undefined) return exited;
    const leader = await options.processes.readProcess(pid);
    const record = leader === null ? null : await writeSetup(running, leader);

    const waiting = new AbortController();
    const limit = options.clock.sleep(request.timeoutMs, AbortSignal.any([signal, waiting.signal]));
    const outcome = await Promise.race([
      exited,
      limit.then((passed): Outcome => (passed ? { kind: 'timeout' } : { kind: 'aborted' })),
    ]);
    waiting.abort();
    await sweep(pid, request, outcome.kind === 'exited' ? 0 : graceMs);
    await Promise.race([closed, options.clock.sleep(OUTPUT_WAIT_MS)]);
    child.stdout?.destroy();
    child.stderr?.destroy();
    if (record !== null) await rm(record, { force: true });
    return outcome;
  }

  /** Also those that left the group: what a setup starts for itself ends with it. */
  async function sweep(group: number, request: CommandRequest, grace: number): Promise<void> {
    const left = await options.processes.processesInGroup(group);
    if (left.length > 0 && !(await endGroup(options, group, grace))) {
      options.log.error('a setup command cannot be ended', { app: request.app, group });
    }
    await endMarked(options, `MAINSTAY_SETUP=${nameOf(request)}`);
  }

  return {
    run,
    async endStrays() {
      let ended = 0;
      for (const { pid, startTime } of await takeSetups(running)) {
        const now = await options.processes.readProcess(pid);
        // Of a group without its leader only the marker below says whose it is.
        if (now?.startTime !== startTime) continue;
        await endGroup(options, pid, graceMs);
        ended += 1;
      }
      const marked = await options.processes.findByEnvironment(marker);
      await endMarked(options, marker);
      ended += new Set(marked.map((one) => one.group)).size;
      if (ended > 0) options.log.warn('ended setup commands of a former daemon', { count: ended });
      return ended;
    },
  };
}

function start(request: CommandRequest, markers: Readonly<Record<string, string>>): ChildProcess {
  // Without the `exec` that an app's command gets: nobody but the group is ever sent a signal.
  const [file = '', ...args] =
    typeof request.command === 'string' ? ['/bin/sh', '-c', request.command] : request.command;
  return spawn(file, args, {
    cwd: request.dir,
    env: { ...inherited(process.env), ...request.env, ...markers },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function exitOf(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ kind: 'not-started', reason: error.message }));
    child.once('exit', (code, signal) => resolve({ kind: 'exited', code, signal }));
  });
}

function judge(
  outcome: Outcome,
  request: CommandRequest,
  log: { readonly tail: readonly string[]; readonly logFile: string },
): Result<void> {
  const details = { log_tail: log.tail, log_file: log.logFile };
  switch (outcome.kind) {
    case 'exited':
      return outcome.code === 0
        ? ok()
        : err(failed(exitWords(outcome), { ...details, exit_code: outcome.code }));
    case 'not-started':
      return err(failed(`could not be started: ${outcome.reason}`, details));
    case 'timeout': {
      const message = `setup_command did not finish within ${request.timeoutMs} ms and was ended.`;
      return err(failure('setup-timeout', message, { details }));
    }
    case 'aborted':
      return err(failure('aborted', 'setup_command was called off before it finished.', { details }));
  }
}

function exitWords(outcome: { readonly code: number | null; readonly signal: string | null }): string {
  return outcome.code === null
    ? `was ended by ${outcome.signal ?? 'a signal'}`
    : `ended with code ${outcome.code}`;
}

function failed(what: string, details: Readonly<Record<string, unknown>>): Failure {
  return failure('setup-failed', `setup_command ${what}`, { details });
}
