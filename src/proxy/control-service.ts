/** What the proxy process does for each control call. Decides the order of disk and memory; knows no sockets. */
import { err, failure, ok, type Result } from '../base/result.ts';
import type { DataPlane } from './data-plane.ts';
import type { ControlHandler } from './control-socket.ts';
import { PROTOCOL, type ControlRequest, type Hello } from './protocol.ts';
import { readTable, type TableFile } from './table-file.ts';

export interface ControlService {
  readonly handle: ControlHandler;
  /** Serves the stored table; calls wait until then. Answers its version, null without one. */
  restore(): Promise<number | null>;
  /** Refuses further calls: the process is on its way out. */
  end(): void;
}

export interface ControlServiceParts {
  readonly plane: DataPlane;
  readonly file: TableFile;
  readonly log: (message: string) => void;
  readonly onStop: (graceMs: number) => void;
}

export function createControlService({ plane, file, log, onStop }: ControlServiceParts): ControlService {
  let ending = false;
  const restored = Promise.withResolvers<void>();
  let writes: Promise<unknown> = restored.promise;

  async function apply(value: unknown): Promise<Result<unknown>> {
    const table = readTable(value);
    if (table === null)
      return err(
        failure(
          'proxy-table-invalid',
          'The table has a shape that this proxy does not know. Nothing was changed.',
        ),
      );
    // Served first, so that nobody waits for the disk. The answer waits: until then the daemon keeps what the former
    // table leads to, and a process that dies in between is given the new table again.
    const failures = await plane.apply(table);
    await file.write(table);
    for (const { message } of failures) log(message);
    return ok(failures);
  }

  function inTurn(work: () => Promise<Result<unknown>>): Promise<Result<unknown>> {
    const done = writes.then(work);
    writes = done.catch(() => undefined);
    return done;
  }

  return {
    end: () => (ending = true),
    async restore() {
      const table = await file.read();
      if (table !== null) for (const { message } of await plane.apply(table)) log(message);
      restored.resolve();
      return table === null ? null : table.version;
    },
    async handle(request: ControlRequest) {
      await restored.promise;
      if (ending && request.op !== 'hello')
        return err(
          failure('proxy-ending', 'The proxy is being stopped.', { retry: { kind: 'after', ms: 100 } }),
        );
      switch (request.op) {
        case 'hello':
          return ok({ protocol: PROTOCOL, pid: process.pid, version: plane.stats().version } satisfies Hello);
        case 'apply':
          return inTurn(() => apply(request.table));
        case 'drain':
          return plane.drain(request.generation, request.timeoutMs);
        case 'stats':
          return ok(plane.stats());
        case 'stop':
          return inTurn(async () => {
            await file.remove();
            // After the answer is on its way.
            setImmediate(() => onStop(request.graceMs));
            return ok();
          });
        default:
          return err(
            failure('proxy-call-unknown', 'This proxy does not know that call; it is older than the daemon.'),
          );
      }
    },
  };
}
