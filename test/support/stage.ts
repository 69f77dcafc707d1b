/** The scene of most checks: a daemon, one source repository and one app called `web` that is live. */
import { readFile, readdir, lstat, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createAppRepo, type AppRepo } from './app-repo.ts';
import type { Version } from './app-server.ts';
import { appDoc, systemDoc } from './documents.ts';
import { freePort } from './free-ports.ts';
import { ask, type Answer, type Ask } from './http-client.ts';
import type { Doc, IntentRepo, Pushed } from './intent-repo.ts';
import { startMainstay, type Mainstay, type MainstayOptions } from './mainstay.ts';
import { unitsOf, type Found } from './processes.ts';
import { eventually } from './wait.ts';

export interface AppStatus {
  readonly live_slot: string;
  readonly live_commit: string;
  readonly previous_slot: string;
  readonly previous_commit: string;
  readonly last_deploy_time: string;
  readonly healthy: boolean;
  readonly staging_dir: string;
  readonly state: string;
  readonly reason: string;
}

export interface DeployAnswer {
  readonly success: boolean;
  readonly slot: string;
  readonly commit: string;
  readonly previous_commit: string;
  readonly reason?: string;
  readonly log_tail?: readonly string[] | string;
}

export interface Stage extends AsyncDisposable {
  readonly mainstay: Mainstay;
  readonly intent: IntentRepo;
  readonly source: AppRepo;
  /** Public port of `web`. */
  readonly port: number;
  /** Commit of the version that was deployed first. */
  readonly first: string;
  /** The app's document with these fields changed. */
  doc(fields?: Doc): Doc;
  /** Pushes `web` with these fields changed. */
  pushApp(fields?: Doc, message?: string): Promise<Pushed>;
  get(path?: string, options?: Ask): Promise<Answer>;
  /** What the public port answers on `/`, without the line end. */
  text(): Promise<string>;
  status(): Promise<AppStatus>;
  deploy(commit: string): Promise<{ readonly status: number; readonly body: DeployAnswer }>;
  rollback(): Promise<{ readonly status: number; readonly body: DeployAnswer }>;
  units(): Promise<readonly Found[]>;
  /** Waits until the public port answers this text. */
  serves(text: string, limitMs?: number): Promise<void>;
  /** What lies in the app's folder: slot folders and symlinks. */
  disk(): Promise<Disk>;
}

export interface Disk {
  readonly dir: string;
  /** Folders that are slots or staging. */
  readonly folders: readonly string[];
  /** Name to the last part of its target. */
  readonly links: Readonly<Record<string, string>>;
}

export interface StageOptions extends MainstayOptions {
  /** First version; null for none (nothing is pushed but the System). */
  readonly version?: Version | string | null;
  readonly app?: Doc;
  readonly system?: Doc;
  readonly via?: 'http' | 'path';
}

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const mainstay = await startMainstay(options);
  try {
    return await build(mainstay, options);
  } catch (error) {
    const output = mainstay.output();
    await mainstay[Symbol.asyncDispose]();
    throw new Error(`the scene could not be set: ${String(error)}\n${output.slice(-4000)}`, { cause: error });
  }
}

async function build(mainstay: Mainstay, options: StageOptions): Promise<Stage> {
  const source = await createAppRepo(join(mainstay.root, 'src', 'web'));
  const intent = await mainstay.clone('clone', options.via);
  const port = await freePort();
  const first = await source.commit(options.version ?? 'A');
  const doc = (fields: Doc = {}): Doc =>
    appDoc('web', { source: { repo: source.dir, ref: first }, port, ...options.app, ...fields });
  const pushApp = (fields?: Doc, message?: string): Promise<Pushed> =>
    intent.change({ 'apps/web.yaml': doc(fields) }, message);
  const get = (path = '/', more?: Ask): Promise<Answer> => ask(`http://127.0.0.1:${port}${path}`, more);
  const text = async (): Promise<string> => (await get()).text.trim();
  const status = async (): Promise<AppStatus> =>
    (await mainstay.api('GET', '/status?app=web')).json<AppStatus>();
  const call = async (path: string, body: unknown): Promise<{ status: number; body: DeployAnswer }> => {
    const answer = await mainstay.api('POST', `${path}?app=web`, body);
    return { status: answer.status, body: answer.json<DeployAnswer>() };
  };
  await intent.write('mainstay.yaml', systemDoc(options.system));
  if (options.version === null) {
    await intent.commit('first');
  } else {
    await intent.write('apps/web.yaml', doc());
    await intent.commit('first');
  }
  const pushed = await intent.push();
  if (pushed.code !== 0) throw new Error(`the first push failed:\n${pushed.stderr}`);
  return {
    mainstay,
    intent,
    source,
    port,
    first,
    doc,
    pushApp,
    get,
    text,
    status,
    deploy: (commit) => call('/deploy', { commit }),
    rollback: () => call('/rollback', {}),
    units: () => unitsOf(mainstay.root, 'web'),
    serves: async (wanted, limitMs = 10_000) => {
      await eventually(`the public port serves ${wanted}`, async () => (await text()) === wanted, limitMs);
    },
    disk: async () => readDisk(dirname((await status()).staging_dir)),
    [Symbol.asyncDispose]: () => mainstay[Symbol.asyncDispose](),
  };
}

async function readDisk(dir: string): Promise<Disk> {
  const folders: string[] = [];
  const links: Record<string, string> = {};
  for (const name of await readdir(dir)) {
    const info = await lstat(join(dir, name));
    if (info.isSymbolicLink()) links[name] = basename(await readlink(join(dir, name)));
    else if (info.isDirectory() && /^(slot|staging)/.test(name)) folders.push(name);
  }
  return { dir, folders: folders.sort(), links };
}

export interface AppEvent {
  readonly at: number;
  readonly what: 'start' | 'listening' | 'term' | 'exit' | 'crash';
  readonly pid: number;
  readonly text: string;
}

/** What the test programs wrote into their events file. */
export async function appEvents(file: string): Promise<readonly AppEvent[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AppEvent);
}
