/** Intent repositories of thousands of documents, written as one commit without a work tree. */
import { mkdir } from 'node:fs/promises';
import { stringify } from 'yaml';
import { gitEnv, git } from '../support/git.ts';
import { appDoc, systemDoc } from '../support/documents.ts';
import type { Doc } from '../support/intent-repo.ts';
import { run } from '../support/run-command.ts';

const AUTHOR = 'Ada Person <ada@example.org>';

/** Documents by path: one System and `count` apps in a hundred folders, each on a host of its own. */
export function manyDocuments(count: number, source: Doc, fields: Doc = {}): Map<string, string> {
  const files = new Map([['mainstay.yaml', stringify(systemDoc())]]);
  for (let n = 0; n < count; n++) {
    files.set(
      pathOf(n),
      stringify(appDoc(`app-${n}`, { source, port: 8000, hosts: [`h${n}.example.org`], ...fields })),
    );
  }
  return files;
}

export function pathOf(n: number): string {
  return `apps/g${n % 100}/app-${n}.yaml`;
}

export async function emptyRepository(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await git(dir, ['init', '-q', '-b', 'main']);
}

/** Commits these files on top of `main` (anew when there is none) and returns the commit. */
export async function commitFiles(dir: string, files: ReadonlyMap<string, string>): Promise<string> {
  const known = await git(dir, ['for-each-ref', '--format=%(objectname)', 'refs/heads/main']);
  const head = `commit refs/heads/main\ncommitter ${AUTHOR} ${Math.floor(Date.now() / 1000)} +0000\ndata 6\nchange\n`;
  const from = known === '' ? '' : `from ${known}\n`;
  const changes = [...files].map(
    ([path, text]) => `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`,
  );
  const input = `${head}${from}${changes.join('')}\n`;
  const made = await run('git', ['-C', dir, 'fast-import', '--quiet', '--force'], { env: gitEnv(), input });
  if (made.code !== 0) throw new Error(made.stderr);
  return git(dir, ['rev-parse', 'refs/heads/main']);
}
