/** Real repositories in a scratch folder, for the tests of this folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { git } from '../../support/plain-git.ts';

export interface Scratch {
  readonly dir: string;
  [Symbol.dispose](): void;
}

export function scratch(): Scratch {
  const dir = mkdtempSync(join(tmpdir(), 'mainstay-sources-'));
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

/** A work tree on branch main. */
export function repository(dir: string): string {
  mkdirSync(dir, { recursive: true });
  git(dir, 'init', '-q', '-b', 'main');
  return dir;
}

export function commit(dir: string, files: Readonly<Record<string, string>>, message = 'change'): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  git(dir, 'add', '-A');
  git(dir, 'commit', '-q', '--allow-empty', '-m', message);
  return git(dir, 'rev-parse', 'HEAD');
}
