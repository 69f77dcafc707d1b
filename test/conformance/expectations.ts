/** What the conformance tests ask of a backend again and again. */
import type { ObservedInstance } from '../../src/model/instance.ts';
import type { Result } from '../../src/base/result.ts';
import type { Backend, LogQuery } from '../../src/ports.ts';
import { eventually } from '../support/wait.ts';

/** Every wait of the suite ends here, whatever the machine is busy with. */
export const LIMIT_MS = 10_000;

export function limit(): AbortSignal {
  return AbortSignal.timeout(LIMIT_MS);
}

export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
}

export function codeOf(result: Result<unknown>): string {
  return result.ok ? 'ok' : result.error.code;
}

/** The instance as observed now, or undefined. */
export async function find(backend: Backend, id: string): Promise<ObservedInstance | undefined> {
  return valueOf(await backend.observe()).find((one) => one.id === id);
}

/** Waits until the instance is observed as exited. */
export async function untilExited(backend: Backend, id: string): Promise<ObservedInstance> {
  return eventually(`${id} has exited`, async () => {
    const found = await find(backend, id);
    return found?.state === 'exited' ? found : null;
  });
}

/** The log as texts; when following, until `enough` of them have come. */
export async function readLines(
  backend: Backend,
  id: string,
  query: LogQuery = {},
  enough = Infinity,
): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of backend.logs(id, query, limit())) {
    lines.push(line.text);
    if (lines.length >= enough) break;
  }
  return lines;
}
