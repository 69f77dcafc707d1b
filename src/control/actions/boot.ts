/** Starts the processes of a slot and waits until all are healthy; on failure nothing of them is left. */
import { err, ok, type Failure, type Result } from '../../base/result.ts';
import { formatDuration } from '../../base/duration.ts';
import type { App } from '../../model/intent.ts';
import { instanceId, parseInstanceId } from '../../model/ids.ts';
import type { InstanceSpec, ObservedInstance } from '../../model/instance.ts';
import type { HealthReport } from '../../model/slot.ts';
import type { Context } from '../context.ts';
import { say } from './say.ts';
import { waitHealthy, watchExits, type Exits, type Healthy } from './health.ts';
import { addStarted, appState, dropInstances, markHealthy } from '../state.ts';

export interface BootRequest {
  readonly app: App;
  readonly slot: string;
  readonly digest: string;
  readonly commit: string;
  readonly dir: string;
  readonly count: number;
  /** Intent commit that it is done for. */
  readonly intent: string;
}

/** What an unhealthy process is given to end by itself. */
const UNWANTED_GRACE_MS = 500;
const LOG_TAIL = 20;

/** The environment that setup and every process of the slot share: no ports yet. */
export async function slotEnvironment(
  ctx: Context,
  request: BootRequest,
): Promise<Result<Readonly<Record<string, string>>>> {
  const { app, slot } = request;
  const resolved = await ctx.ports.environment.resolve({
    app: app.name,
    slot,
    dir: request.dir,
    envFile: app.env_file ?? null,
    env: app.env,
    secrets: app.secrets,
  });
  if (!resolved.ok) return resolved;
  return ok({
    ...resolved.value,
    SLOT_MACHINE: '1',
    MAINSTAY_APP: app.name,
    MAINSTAY_SLOT: slot,
    MAINSTAY_COMMIT: request.commit,
  });
}

/** Resolves with what the first process's checks came to. */
export async function boot(
  ctx: Context,
  request: BootRequest,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Result<HealthReport>> {
  const ids = freshIds(ctx, request);
  const perInstance = request.app.internal_port === undefined ? 1 : 2;
  const ports = await ctx.ports.ports.allocate(ids.length * perInstance);
  const specs = ids.map((id, i) =>
    spec(request, env, {
      id,
      port: ports[i * perInstance] as number,
      internal: perInstance === 2 ? (ports[i * 2 + 1] as number) : null,
    }),
  );
  // From before the start, so that a process that ends at once is not waited for.
  const exits = watchExits(ctx, ids);
  const booted = await startAndWait(ctx, request, { specs, exits }, signal).finally(() => exits.end());
  if (booted.ok) return booted;
  const withLog = await addLogTail(ctx, booted.error, ids);
  await Promise.all(ids.map((id) => ctx.ports.backend.remove(id, UNWANTED_GRACE_MS)));
  dropInstances(appState(ctx.state, request.app.name), ids);
  ctx.ports.ports.release(ports);
  return err(withLog);
}

async function startAndWait(
  ctx: Context,
  request: BootRequest,
  { specs, exits }: { readonly specs: readonly InstanceSpec[]; readonly exits: Exits },
  signal: AbortSignal,
): Promise<Result<HealthReport>> {
  const { app, intent } = request;
  const began = ctx.ports.clock.now();
  const started = await Promise.all(specs.map((one) => ctx.ports.backend.apply(one, signal)));
  const instances: ObservedInstance[] = [];
  for (const result of started) {
    if (!result.ok) return result;
    instances.push(result.value);
  }
  const state = appState(ctx.state, app.name);
  addStarted(state, instances);
  say(
    ctx,
    request,
    'instance-started',
    `started ${instances.map((one) => `${one.handle} on port ${one.port}`).join(', ')}`,
  );
  const checks = await Promise.all(
    instances.map((instance) => waitHealthy(ctx, { app, instance, intent, exits }, signal)),
  );
  const healthy: Healthy[] = [];
  for (const check of checks) {
    if (!check.ok) return check;
    healthy.push(check.value);
  }
  instances.forEach((instance, i) => {
    markHealthy(state, instance.id, healthy[i]?.internal === true);
  });
  const report = healthy[0]?.report ?? { attempts: 0, last: '' };
  say(
    ctx,
    request,
    'instance-healthy',
    `healthy after ${formatDuration(ctx.ports.clock.now() - began)} (${app.health_endpoint} ${report.last})`,
  );
  return ok(report);
}

/** Numbers go on above what the slot already has, so that a draining process and its successor never share an id. */
function freshIds(ctx: Context, request: BootRequest): readonly string[] {
  const { name } = request.app;
  const app = appState(ctx.state, name);
  const taken = [...app.instances.map((instance) => instance.id), ...app.retiring.keys()];
  const numbers = taken.map(parseInstanceId).filter((id) => id?.slot === request.slot);
  const top = Math.max(0, ...numbers.map((id) => id?.n ?? 0));
  return Array.from({ length: request.count }, (_, i) => instanceId(name, request.slot, top + i + 1));
}

function spec(
  request: BootRequest,
  env: Readonly<Record<string, string>>,
  given: { readonly id: string; readonly port: number; readonly internal: number | null },
): InstanceSpec {
  const internal = given.internal === null ? {} : { INTERNAL_PORT: String(given.internal) };
  return {
    id: given.id,
    app: request.app.name,
    slot: request.slot,
    digest: request.digest,
    commit: request.commit,
    dir: request.dir,
    command: request.app.start_command,
    env: { ...env, PORT: String(given.port), ...internal },
    port: given.port,
    internalPort: given.internal,
  };
}

async function addLogTail(ctx: Context, error: Failure, ids: readonly string[]): Promise<Failure> {
  if (error.code === 'superseded' || error.details?.['log_tail'] !== undefined) return error;
  const tail: string[] = [];
  for (const id of ids) {
    for await (const line of ctx.ports.backend.logs(id, { tail: LOG_TAIL }, ctx.signal)) tail.push(line.text);
  }
  return { ...error, details: { ...error.details, log_tail: tail.slice(-LOG_TAIL) } };
}
