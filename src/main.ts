/**
 * The program: arguments to a command, its exit code, signals. The only file beside the data-plane's entry that
 * touches `process`; everything behind it gets a Context.
 */
import process from 'node:process';
import type { Context } from './cli/context.ts';
import { run } from './cli/program.ts';

/**
 * node:http offers the browser's WebSocket classes behind getters, and an import reads every getter: a client that
 * nothing here uses, in the memory of the daemon and the start of every command. Taken out before a command is loaded.
 */
for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent'])
  Object.defineProperty(process.getBuiltinModule('node:http'), name, {
    value: undefined,
    configurable: true,
  });

let stop: AbortController | null = null;
let askedAt = 0;
/** A signal that comes this much later than the first is meant as a second one. */
const AGAIN_MS = 1000;

const context: Context = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  env: process.env,
  cwd: process.cwd(),
  terminal: process.stdout.isTTY,
  color: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb',
  columns: process.stdout.columns ?? 80,
  self: [process.execPath, ...process.execArgv, import.meta.filename],
  stopSignal,
  now: () => Date.now(),
};

// A reader such as `head` that has seen enough is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const code = await run(process.argv.slice(2), context);
// A command that has ended is over, whatever timer or idle socket is left; but not before all is written.
await Promise.all([written(process.stdout), written(process.stderr)]);
process.exit(code);

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((done) => void stream.write('', () => done()));
}

function stopSignal(): AbortSignal {
  if (stop === null) {
    const controller = new AbortController();
    stop = controller;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        // Asked again (a terminal and a launcher send the same signal twice at once): what runs goes on, and the next
        // start takes it over.
        if (controller.signal.aborted && performance.now() - askedAt > AGAIN_MS) process.exit(1);
        if (!controller.signal.aborted) askedAt = performance.now();
        controller.abort(new Error(`stopped by ${name}`));
      });
    }
  }
  return stop.signal;
}
