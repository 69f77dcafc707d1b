/** Wiring only: builds every part, starts them in order, ends them in reverse. */
import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { backends } from '../backends/registry.ts';
import { createGitHosting } from './adapters/git/hosting.ts';
import { createHookServer } from './adapters/git/hook-server.ts';
import { createNoteWriter, noteWriterFor } from './adapters/git/notes.ts';
import { openIntentRepository, type GitRepository } from './adapters/git/repository.ts';
import { createLog } from './adapters/log/json-log.ts';
import { createCommandRunner } from './adapters/slots/command-runner.ts';
import { createEnvironment } from './adapters/slots/environment.ts';
import { createSlotStore } from './adapters/slots/slot-store.ts';
import { createSourceStore } from './adapters/sources/source-store.ts';
import { openStore, type OpenStore } from './adapters/store/open.ts';
import { ensureOperatorToken } from './adapters/store/operator-token.ts';
import { systemClock } from './adapters/system/clock.ts';
import { roomAt } from './adapters/system/disk.ts';
import { writeFileDurable } from './adapters/system/durable-file.ts';
import { httpProbe } from './adapters/system/http-probe.ts';
import { createPortAllocator } from './adapters/system/port-allocator.ts';
import { createProcessTable } from './adapters/system/process-table.ts';
import { systemRandom } from './adapters/system/random.ts';
import { spareMemory } from './adapters/system/spare-memory.ts';
import { postWebhook } from './adapters/system/webhook.ts';
import { accessConfigured } from './api/access.ts';
import { checkListen } from './api/listen.ts';
import { createApiServer } from './api/server.ts';
import { err, failure, ok, type Result } from './base/result.ts';
import { createScrubber } from './base/scrub.ts';
import { messageOf } from './base/thrown.ts';
import { packageVersion } from './cli/package-root.ts';
import type { Config } from './config.ts';
import type { ControlOptions } from './control/context.ts';
import { createControl, type Control } from './control/control.ts';
import { portsOf } from './model/instance.ts';
import type { Backend, Log, Store } from './ports.ts';
import { createProxyClient } from './proxy/client.ts';

export interface Daemon {
  /** Where the API answers, without a trailing slash; the push URL is `<url>/intent.git`. */
  readonly url: string;
  /** One phrase, e.g. `in process and HTTP (no NATS)`. */
  readonly presence: string;
  /** Settles when everything is closed: after `stop`, after POST /v1/shutdown, or with the failure that ended it. */
  readonly done: Promise<Result<void>>;
  /** Idempotent; begins the end and returns when it is done. `drain`: what runs is stopped, too. */
  stop(options: { readonly drain: boolean }): Promise<void>;
}

const SETUP_LIMIT_MS = 30 * 60_000;
const FOLLOW_LIMIT_MS = 10 * 60_000;
const PRESENCE = 'in process and HTTP (no NATS)';

export async function startDaemon(config: Config): Promise<Result<Daemon>> {
  if (config.remote) {
    return err(
      failure('not-supported-yet', `following a remote (${config.intent}) is not supported yet; give a path`),
    );
  }
  mkdirSync(config.data, { recursive: true, mode: 0o700 });
  const data = realpathSync(config.data);
  const closers: Closer[] = [];
  const built = await build({ ...config, data }, closers).catch(async (error: unknown) => {
    await closeAll(closers);
    throw error;
  });
  if (!built.ok) await closeAll(closers);
  return built;
}

interface Closer {
  close(): unknown;
}

/** Each gets its chance, whatever became of the others. What went wrong, in words. */
async function closeAll(closers: Closer[]): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const closer of closers.splice(0).reverse()) await attempt(problems, () => closer.close());
  return problems;
}

async function attempt(problems: string[], step: () => unknown): Promise<void> {
  try {
    await step();
  } catch (error) {
    problems.push(messageOf(error));
  }
}

async function build(config: Config, closers: Closer[]): Promise<Result<Daemon>> {
  const { data } = config;
  const store = openStore({ file: join(data, 'state.db') });
  if (!store.ok) return store;
  closers.push(store.value);
  const token = ensureOperatorToken(data, systemRandom);
  if (!token.ok) return token;
  const listening = checkListen(config.listen.host, {
    tokensConfigured: accessConfigured(store.value.tokens, token.value.token, systemClock.now()),
  });
  if (!listening.ok) return listening;
  const scrubber = createScrubber();
  const log = createLog({ scrubber, json: { file: join(data, 'daemon.log') }, lines: null, color: false });
  closers.push(log);
  const repository = await openIntentRepository({
    path: config.intent,
    branch: config.branch,
    log,
    clock: systemClock,
    dataDir: data,
    resolveEveryMs: config.pollMs,
  });
  if (!repository.ok) return repository;
  closers.push(repository.value);
  const ended = Promise.withResolvers<Result<void>>();
  let stopping: Promise<void> | null = null;
  const stop = ({ drain }: { readonly drain: boolean }): Promise<void> => {
    stopping ??= end({ control, closers, drain, data }).then((result) => ended.resolve(result));
    return stopping;
  };
  const control = await createControlOf(
    { config, store: store.value, repository: repository.value, log, closers },
    {
      scrub: (text) => scrubber.text(text),
      onSecret: (value) => scrubber.register(value),
      onShutdown: () => void stop({ drain: true }),
    },
  );
  const gate = control.gate;
  const hooksDir = join(data, 'hooks');
  const hosting = await createGitHosting({ repository: repository.value, gate, hooksDir, log });
  closers.push(hosting);
  const hooks = await createHookServer({
    repository: repository.value,
    hooksDir,
    socketPath: join(data, 'hooks', 'daemon.sock'),
    gate,
    log,
  });
  if (!hooks.ok) return hooks;
  closers.push(hooks.value);
  const api = await createApiServer({
    control: control.plane,
    tokens: store.value.tokens,
    operatorToken: token.value.token,
    git: hosting,
    log,
    clock: systemClock,
    random: systemRandom,
    scrubber,
    version: packageVersion(),
    listen: config.listen,
  });
  if (!api.ok) return api;
  closers.push(api.value);
  await control.start();
  const started = new Date(systemClock.now()).toISOString();
  const about = { pid: process.pid, url: api.value.url, intent: config.intent, started_at: started };
  await writeFileDurable(join(data, 'daemon.json'), `${JSON.stringify(about, null, 2)}\n`);
  api.value.open();
  closers.push(spareMemory());
  log.info('ready', { url: api.value.url, intent: config.intent });
  return ok({ url: api.value.url, presence: PRESENCE, done: ended.promise, stop });
}

interface Parts {
  readonly config: Config;
  readonly store: OpenStore;
  readonly repository: GitRepository;
  readonly log: Log;
  readonly closers: Closer[];
}

async function createControlOf(
  { config, store, repository, log, closers }: Parts,
  hooks: {
    readonly scrub: (text: string) => string;
    readonly onSecret: (value: string) => void;
    readonly onShutdown: () => void;
  },
): Promise<Control> {
  const dataDir = config.data;
  const clock = systemClock;
  const random = systemRandom;
  const owner = ownerOf(store);
  const processes = createProcessTable();
  const ports = createPortAllocator({ random });
  const commands = createCommandRunner({ dataDir, owner, clock, processes, log });
  await commands.endStrays();
  const backend: Backend = backends.process.create({
    dataDir,
    owner,
    clock,
    processes,
    log,
    environment: process.env,
  });
  closers.push(backend);
  const found = await backend.observe();
  if (found.ok) ports.reserve(found.value.flatMap(portsOf));
  const proxy = createProxyClient({ dataDir, log, clock });
  closers.push(proxy);
  const options: ControlOptions = {
    publicHost: config.publicHost,
    version: packageVersion(),
    branch: config.branch,
    presence: PRESENCE,
    setupTimeoutMs: SETUP_LIMIT_MS,
    followLimitMs: FOLLOW_LIMIT_MS,
  };
  return createControl({
    options,
    scrub: hooks.scrub,
    onShutdown: hooks.onShutdown,
    daemon: `mainstay ${options.version} ${owner}`,
    ports: {
      clock,
      random,
      log,
      repository,
      notes: createNoteWriter(repository),
      sourceNotes: (gitDir) => noteWriterFor(gitDir),
      sources: createSourceStore({
        dataDir,
        intentGitDir: repository.place.gitDir,
        clock,
        random,
        log,
        pollMs: config.pollMs,
      }),
      slots: createSlotStore({ dataDir, clock, random, log }),
      commands,
      environment: createEnvironment({ dataDir, random, onSecret: hooks.onSecret }),
      backend,
      ports,
      probe: httpProbe,
      proxy,
      store,
      webhook: { post: postWebhook },
      disk: { free: () => roomAt(dataDir) },
    },
  });
}

/** Names this installation in the environment of what it starts; made once. */
function ownerOf(store: Store): string {
  const known = store.values.get('owner');
  if (known !== null) return known;
  const made = systemRandom.hex(8);
  store.values.put('owner', made);
  return made;
}

/** Nobody new comes in, what runs is drained if that was asked for, the loop ends, then everything is closed. */
async function end(parts: {
  readonly control: Control;
  readonly closers: Closer[];
  readonly drain: boolean;
  readonly data: string;
}): Promise<Result<void>> {
  const problems: string[] = [];
  if (parts.drain) await attempt(problems, () => parts.control.drain());
  await attempt(problems, () => parts.control.stop());
  problems.push(...(await closeAll(parts.closers)));
  rmSync(join(parts.data, 'daemon.json'), { force: true });
  if (problems.length === 0) return ok();
  return err(failure('internal', `the daemon did not end cleanly: ${problems.join('; ')}`));
}
