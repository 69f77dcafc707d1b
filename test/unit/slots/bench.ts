/** A scratch data folder, a real source repository and a slot store, for the tests of this folder. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createDiskFiles, type Files } from '../../../src/adapters/slots/files.ts';
import { createSlotStore, type SlotStoreOptions } from '../../../src/adapters/slots/slot-store.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import { systemRandom } from '../../../src/adapters/system/random.ts';
import type { SlotRecord } from '../../../src/model/slot.ts';
import type { SourceVersion } from '../../../src/model/source.ts';
import type { SlotStore } from '../../../src/ports.ts';
import { git } from '../../support/plain-git.ts';

export const never: AbortSignal = new AbortController().signal;
export const quiet = { info: () => {}, warn: () => {}, error: () => {} };

/** The real disk, without the one call that waits for everybody else's writes. */
export const unsynced: Files = { ...createDiskFiles({}), syncTree: () => Promise.resolve() };

export interface Bench {
  readonly dir: string;
  readonly dataDir: string;
  readonly repo: string;
  /** The app's folder. */
  readonly app: string;
  store(more?: Partial<SlotStoreOptions>): SlotStore;
  /** Replaces the whole tree: text; `-> target` is a symlink; `#!` makes it executable. */
  commit(files: Readonly<Record<string, string>>): SourceVersion;
  version(path?: string): SourceVersion;
  [Symbol.dispose](): void;
}

export function bench(): Bench {
  const dir = mkdtempSync(join(tmpdir(), 'mainstay-slots-'));
  const repo = join(dir, 'repo');
  mkdirSync(repo);
  git(repo, 'init', '-q', '-b', 'main');
  const dataDir = join(dir, 'data');
  const version = (path = '.'): SourceVersion => ({
    source: { repo, ref: 'main', path },
    commit: git(repo, 'rev-parse', 'HEAD'),
    tree: git(repo, 'rev-parse', path === '.' ? 'HEAD^{tree}' : `HEAD:${path}`),
    gitDir: join(repo, '.git'),
    followed: true,
  });
  return {
    dir,
    dataDir,
    repo,
    app: join(dataDir, 'apps/web'),
    store: (more) =>
      createSlotStore({ dataDir, clock: systemClock, random: systemRandom, log: quiet, ...more }),
    commit(files) {
      for (const name of readdirSync(repo)) {
        if (name !== '.git') rmSync(join(repo, name), { recursive: true, force: true });
      }
      for (const [path, text] of Object.entries(files)) place(join(repo, path), text);
      git(repo, 'add', '-A', '-f');
      git(repo, 'commit', '-q', '--allow-empty', '-m', 'change');
      return version();
    },
    version,
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }),
  };
}

export function place(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (text.startsWith('-> ')) return symlinkSync(text.slice(3), path);
  writeFileSync(path, text);
  if (text.startsWith('#!')) chmodSync(path, 0o755);
}

export function record(slot: string, version: SourceVersion, promotedAt = 1): SlotRecord {
  return { slot, commit: version.commit, digest: `digest-${slot}`, promotedAt };
}

export async function checkedOut(
  store: SlotStore,
  slot: string,
  version: SourceVersion,
  sharedDirs: readonly string[] = [],
): Promise<string> {
  const done = await store.checkout({ app: 'web', version, slot, sharedDirs }, never);
  if (!done.ok) throw new Error(`${done.error.code}: ${done.error.message}`);
  return done.value;
}

/** One whole deploy as the control loop does it, without a process. */
export async function deploy(store: SlotStore, slot: string, version: SourceVersion): Promise<string> {
  const dir = await checkedOut(store, slot, version);
  await store.promote('web', record(slot, version));
  await store.tidy('web');
  return dir;
}
