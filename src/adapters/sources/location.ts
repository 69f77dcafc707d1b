/** Where the repository that a source names lies: the intent repository, a folder of this machine, or a URL. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';

export type Location =
  | { readonly kind: 'intent' }
  | { readonly kind: 'local'; readonly path: string }
  /** `shown` is the URL without user name and password. */
  | { readonly kind: 'remote'; readonly url: string; readonly shown: string; readonly id: string }
  | { readonly kind: 'refused'; readonly why: string };

/** Which of them `repo` is. Only looks at the text. */
export function locate(repo: string): Location {
  if (repo === '.') return { kind: 'intent' };
  if (isAbsolute(repo)) return { kind: 'local', path: repo };
  if (repo.startsWith('-') || /[\0\n\r]/.test(repo))
    return { kind: 'refused', why: 'it is neither a path nor a URL' };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(repo)?.[1]?.toLowerCase();
  if (scheme !== undefined && !SCHEMES.has(scheme)) {
    return { kind: 'refused', why: `the scheme ${scheme}:// is not one of ${[...SCHEMES].join(', ')}` };
  }
  // Git takes `host:path` for ssh, and `name::address` for a helper program, which is not for intent to start.
  const scpLike = /^[^/:]+:(?!:)[^/].*|^[^/:]+:\/(?!\/).*/.test(repo);
  if (scheme === undefined && !scpLike) {
    return { kind: 'refused', why: 'it is neither `.`, an absolute path nor a URL' };
  }
  const id = createHash('sha256').update(repo).digest('hex').slice(0, 16);
  return { kind: 'remote', url: repo, shown: withoutCredentials(repo), id };
}

const SCHEMES: ReadonlySet<string> = new Set(['file', 'git', 'http', 'https', 'ssh']);

/** The same text with what stands before `@` in any URL replaced, fit for messages and logs. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/(\w+:\/\/)[^/\s@]+@/g, '$1***@');
}

/** The git dir of a repository on this machine, given its work tree or itself; null when there is none. */
export async function findGitDir(path: string): Promise<string | null> {
  const inside = join(path, '.git');
  const found = await stat(inside).catch(() => null);
  if (found?.isDirectory() === true) return inside;
  if (found?.isFile() === true) {
    // A linked work tree or a submodule: the file says where its git dir is.
    const target = /^gitdir: (.+)$/m.exec(await readFile(inside, 'utf8'))?.[1];
    return target === undefined ? null : resolve(path, target.trim());
  }
  const bare = await Promise.all([stat(join(path, 'HEAD')), stat(join(path, 'objects'))]).catch(() => null);
  return bare === null ? null : path;
}
