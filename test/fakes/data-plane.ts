/** The proxy as plain data: a table, and requests in flight on the processes that it led them to. Outlives every daemon. */
import type { MemoryRun } from '../../backends/memory/world.ts';
import { err, failure, ok } from '../../src/base/result.ts';
import type { ProxyRoute, ProxyTable } from '../../src/model/routes.ts';
import type { ListenFailure, Proxy } from '../../src/ports.ts';
import type { Life } from '../simulation/life.ts';
import type { Machine } from './machine.ts';

export interface FakeRequest {
  readonly app: string;
  readonly generation: string;
  readonly run: MemoryRun;
  readonly endsAt: number;
}

export interface DataPlane {
  readonly table: ProxyTable;
  readonly running: boolean;
  /** How many of the next tables are not taken. */
  failing: number;
  /** Ports that another program holds. */
  readonly taken: Set<number>;
  /** Generations whose drain ran into its limit: their requests may be cut. */
  readonly overdue: ReadonlySet<string>;
  routes(): readonly ProxyRoute[];
  inFlight(): readonly FakeRequest[];
  /** A request for that app that takes so long; false: nothing to lead it to. */
  request(app: string, takesMs: number): boolean;
  open(life: Life): Proxy;
}

export function createDataPlane(parts: {
  readonly now: () => number;
  readonly machine: Machine;
  readonly violated: (rule: string, what: string) => void;
}): DataPlane {
  const { now, machine } = parts;
  let table: ProxyTable = { version: 0, listeners: [] };
  let requests: FakeRequest[] = [];
  let turn = 0;
  let running = false;
  const overdue = new Set<string>();
  const inFlight = (): readonly FakeRequest[] =>
    (requests = requests.filter(({ endsAt, run }) => endsAt > now() && run.exit === null));
  const plane: DataPlane = {
    get table() {
      return table;
    },
    get running() {
      return running;
    },
    failing: 0,
    taken: new Set(),
    overdue,
    routes: () => table.listeners.flatMap(({ routes }) => routes),
    inFlight,
    request(app, takesMs) {
      const generation = plane.routes().find((route) => route.app === app)?.generation ?? null;
      const target = generation?.targets[turn++ % generation.targets.length];
      const run = machine.running().find(({ spec }) => spec.port === target?.port);
      if (generation === null || run === undefined) return false;
      requests.push({ app, generation: generation.id, run, endsAt: now() + takesMs });
      return true;
    },
    open: (life) => ({
      async apply(next) {
        await life.step('proxy.apply');
        if (plane.failing > 0) {
          plane.failing -= 1;
          return err(
            failure('proxy-unavailable', 'the proxy does not answer', { retry: { kind: 'backoff' } }),
          );
        }
        if (running && next.version <= table.version)
          parts.violated('table-version', `table ${next.version} comes after table ${table.version}`);
        table = next;
        running = true;
        const failures = next.listeners.filter(({ port }) => plane.taken.has(port)).map(asFailure);
        await life.step('proxy.apply reply');
        return ok(failures);
      },
      async drain(generation, timeoutMs, signal) {
        await life.step(`proxy.drain ${generation}`);
        const deadline = now() + timeoutMs;
        const left = (): number => inFlight().filter((request) => request.generation === generation).length;
        while (left() > 0 && now() < deadline && !signal.aborted) await life.clock.sleep(20, signal);
        if (now() >= deadline) overdue.add(generation);
        await life.step('proxy.drain reply');
        return ok(left());
      },
      async stats() {
        await life.step('proxy.stats');
        const counts: Record<string, { inFlight: number; requests: number; errors: number }> = {};
        const served = plane.routes().flatMap((route) => route.generation?.id ?? []);
        for (const id of [...served, ...inFlight().map((request) => request.generation)]) {
          const mine = inFlight().filter((request) => request.generation === id).length;
          counts[id] = { inFlight: mine, requests: mine, errors: 0 };
        }
        return ok({ generations: counts, version: table.version, rssBytes: 0 });
      },
      async stop() {
        await life.step('proxy.stop');
        running = false;
        table = { version: 0, listeners: [] };
      },
      close: () => Promise.resolve(),
    }),
  };
  machine.avoid = () =>
    plane.routes().flatMap((route) => route.generation?.targets.map(({ port }) => port) ?? []);
  machine.ended.add((run) => {
    const cut = requests.filter((request) => request.run === run && request.endsAt > now());
    if (!machine.ending.has(run.handle)) return;
    for (const { generation, app } of cut) {
      if (!overdue.has(generation))
        parts.violated(
          'request-cut',
          `${app}: ${run.spec.id} was ended with a request of ${generation} in flight`,
        );
    }
  });
  return plane;
}

function asFailure({ host, port }: { readonly host: string; readonly port: number }): ListenFailure {
  return { host, port, message: `port ${port} is taken by another program` };
}
