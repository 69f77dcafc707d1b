/** A real source repository with the test program; each commit is one version of it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NODE_SERVER, NODE_SETUP, PERL_SERVER, type Version } from './app-server.ts';
import { git } from './git.ts';

export interface AppRepo {
  readonly dir: string;
  /** Commits a version on the current branch and returns its full hash. */
  commit(version: Version | string, files?: Readonly<Record<string, string>>): Promise<string>;
  /** Points a branch at a commit, made when new. */
  branch(name: string, commit: string): Promise<void>;
}

export async function createAppRepo(dir: string): Promise<AppRepo> {
  await mkdir(dir, { recursive: true });
  await git(dir, ['init', '-q', '-b', 'main']);
  return {
    dir,
    commit: async (version, files = {}) => {
      const full: Version = typeof version === 'string' ? { text: version } : version;
      const all: Record<string, string> = {
        'server.js': NODE_SERVER,
        'setup.js': NODE_SETUP,
        'server.pl': PERL_SERVER.replace('PERL_TEXT', full.text),
        'version.json': `${JSON.stringify(full)}\n`,
        ...files,
      };
      for (const [path, text] of Object.entries(all)) {
        await mkdir(dirname(join(dir, path)), { recursive: true });
        await writeFile(join(dir, path), text);
      }
      await git(dir, ['add', '-A']);
      await git(dir, ['commit', '-q', '--allow-empty', '-m', `version ${full.text}`]);
      return git(dir, ['rev-parse', 'HEAD']);
    },
    branch: async (name, commit) => {
      await git(dir, ['update-ref', `refs/heads/${name}`, commit]);
    },
  };
}
