/**
 * Git for slots: a private git dir with settings of our own borrows the objects of the source. The source's settings,
 * hooks and filter programs are never read, so checking out a commit runs nothing of it.
 */
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { sourceGitEnvironment } from '../system/git-environment.ts';
import { runProgram, type ProgramEnd } from '../system/run-program.ts';

export interface SlotGitCall {
  readonly args: readonly string[];
  /** Git dir of the source whose objects are borrowed; when it is gone, git finds none. */
  readonly source: string;
  /** Any object id of the source: its length says which hash function the source uses. */
  readonly oid: string;
  readonly index?: string;
  readonly workTree?: string;
  readonly input?: string;
  readonly signal?: AbortSignal;
}

export type SlotGit = (call: SlotGitCall) => Promise<ProgramEnd>;

/** A big checkout on a slow disk takes its time; a stuck one must end. */
const LIMIT_MS = 300_000;
const OUTPUT_MAX_BYTES = 256 * 1024 * 1024;

/** Keeps its git dirs (one for each hash function) under `folder`. `marker` goes into git's environment. */
export function createSlotGit(folder: string, marker: Readonly<Record<string, string>>): SlotGit {
  const ready = new Map<string, Promise<string>>();
  return async (call) => {
    const objects = await objectsOf(call.source);
    const format = call.oid.length === 64 ? 'sha256' : 'sha1';
    const known = ready.get(format) ?? prepare(folder, format);
    ready.set(format, known);
    const environment = {
      ...marker,
      GIT_DIR: await known,
      ...(objects === null ? {} : { GIT_OBJECT_DIRECTORY: objects }),
      ...(call.index === undefined ? {} : { GIT_INDEX_FILE: call.index }),
      ...(call.workTree === undefined ? {} : { GIT_WORK_TREE: call.workTree }),
    };
    return runProgram('git', call.args, {
      env: sourceGitEnvironment(environment),
      timeoutMs: LIMIT_MS,
      maxOutputBytes: OUTPUT_MAX_BYTES,
      ...(call.workTree === undefined ? {} : { cwd: call.workTree }),
      ...(call.input === undefined ? {} : { input: call.input }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    });
  };
}

/** Written anew by each daemon: whatever a former one or a hand left there is replaced. */
async function prepare(folder: string, format: string): Promise<string> {
  const gitDir = join(folder, `${format}.git`);
  await mkdir(join(gitDir, 'objects'), { recursive: true });
  await mkdir(join(gitDir, 'refs'), { recursive: true });
  const settings = [
    '[core]',
    `\trepositoryformatversion = ${format === 'sha1' ? 0 : 1}`,
    '\tbare = false',
    '\tfilemode = true',
    '\tsymlinks = true',
    '\tfsmonitor = false',
    '\thooksPath = /dev/null',
    ...(format === 'sha1' ? [] : ['[extensions]', `\tobjectFormat = ${format}`]),
  ];
  await writeFile(join(gitDir, 'config'), `${settings.join('\n')}\n`);
  await writeFile(join(gitDir, 'HEAD'), 'ref: refs/heads/none\n');
  return gitDir;
}

/** Null when they are not there any more. A linked work tree keeps its objects in the repository it belongs to. */
async function objectsOf(gitDir: string): Promise<string | null> {
  const other = await readFile(join(gitDir, 'commondir'), 'utf8').catch(() => null);
  const objects = join(other === null ? gitDir : resolve(gitDir, other.trim()), 'objects');
  return access(objects).then(
    () => objects,
    () => null,
  );
}
