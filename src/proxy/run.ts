/**
 * The proxy process at work: wires the data plane to the control socket and to the table on disk, and ends in order.
 * Imports as little as possible: it stays resident beside every deployment.
 */
import { ftruncateSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createControlService } from './control-service.ts';
import { openControlSocket, type ControlSocket } from './control-socket.ts';
import { createDataPlane } from './data-plane.ts';
import { EXIT_ALREADY_RUNNING, PROXY_FOLDER } from './protocol.ts';
import { createTableFile } from './table-file.ts';

/** How long requests may go on after SIGTERM. */
const TERM_GRACE_MS = 30_000;
const OWNED_CHECK_MS = 5_000;
const LOG_BYTES_MAX = 1024 * 1024;

let logged = 0;

/** Runs until it is stopped; `argv` carries `--data DATA`. Exits with 3 when another process serves this DATA. */
export async function runProxy(argv: readonly string[]): Promise<void> {
  const folder = join(dataFolder(argv), PROXY_FOLDER);
  process.umask(0o077);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Socket addresses are short; from here the path of the control socket always is.
  process.chdir(folder);
  const plane = createDataPlane();
  let control: ControlSocket | null = null;
  let ending = false;

  /** Gives the lock up first: another process may take the ports over while this one finishes. */
  async function end(graceMs: number, cut: boolean): Promise<void> {
    if (ending) return;
    ending = true;
    log(`ending; requests may go on for ${String(graceMs)} ms`);
    service.end();
    control?.release(cut);
    await plane.close(graceMs);
    process.exit(0);
  }

  // A caller that stops the process waits for its connection to end; on a signal everybody may look elsewhere at once.
  const onStop = (graceMs: number): void => void end(graceMs, false);
  const onSignal = (): void => void end(TERM_GRACE_MS, true);

  const file = createTableFile(process.cwd());
  const service = createControlService({ plane, file, log, onStop });
  control = await openControlSocket(service.handle);
  if (control === null) process.exit(EXIT_ALREADY_RUNNING);
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('SIGHUP', () => undefined);
  const version = await service.restore();
  log(
    `pid ${String(process.pid)} serves ${version === null ? 'no table yet' : `stored table ${String(version)}`}`,
  );
  watchOwnership(control, onSignal);
}

/** A process that cannot be steered any more, because its folder is gone or another took over, must not stay. */
function watchOwnership(control: ControlSocket, onLost: () => void): void {
  let missed = 0;
  setInterval(() => {
    void control.owned().then((owned) => {
      missed = owned ? 0 : missed + 1;
      if (missed > 1) onLost();
    });
  }, OWNED_CHECK_MS).unref();
}

function dataFolder(argv: readonly string[]): string {
  const at = argv.indexOf('--data');
  const folder = at === -1 ? undefined : argv[at + 1];
  if (folder === undefined || folder === '') {
    process.stderr.write(
      'usage: proxy --data DATA\n"mainstay serve" starts this process; there is no need to start it by hand.\n',
    );
    process.exit(2);
  }
  return folder;
}

/** Standard error is the log file, opened for appending: emptied when it has grown too long. */
function log(message: string): void {
  const line = `${new Date().toISOString()} ${message}\n`;
  logged += line.length;
  if (logged > LOG_BYTES_MAX) {
    logged = 0;
    try {
      ftruncateSync(2);
    } catch {
      // Not a file: then whoever reads it bounds it.
    }
  }
  process.stderr.write(line);
}
