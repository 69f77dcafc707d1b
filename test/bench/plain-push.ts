/** The companion of every push: stock git, the same change, a plain bare repository without hooks. */
import { join } from 'node:path';
import { git } from '../support/git.ts';
import type { IntentRepo } from '../support/intent-repo.ts';
import { timed } from './figures.ts';

export interface PlainRemote {
  /** Pushes HEAD there and returns the milliseconds. */
  push(): Promise<number>;
}

/** Makes a bare repository that holds what `intent` has now. */
export async function plainRemote(root: string, intent: IntentRepo): Promise<PlainRemote> {
  const dir = join(root, 'plain.git');
  await git(root, ['init', '-q', '--bare', '-b', 'main', dir]);
  await intent.git('push', '-q', dir, 'HEAD:main');
  return { push: async () => (await timed(() => intent.git('push', '-q', dir, '+HEAD:main'))).took };
}
