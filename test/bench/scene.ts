/** The test kit's scene for benches: what is compiled is kept between starts, as on a machine that is in use. */
import { git, gitEnv } from '../support/git.ts';
import { ask } from '../support/http-client.ts';
import { startMainstay, type Mainstay, type MainstayOptions } from '../support/mainstay.ts';
import { start, type Ran } from '../support/run-command.ts';
import { openStage, type Stage, type StageOptions } from '../support/stage.ts';

const cache = (): Record<string, string> => ({ XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] ?? '' });

export function benchStage(options: StageOptions = {}): Promise<Stage> {
  return openStage({ ...options, env: { ...cache(), ...options.env } });
}

export function benchDaemon(options: MainstayOptions = {}): Promise<Mainstay> {
  return startMainstay({ ...options, env: { ...cache(), ...options.env } });
}

export interface TimedPush extends Ran {
  /** Milliseconds from the start of git to each line of the other side. */
  readonly said: readonly { readonly after: number; readonly text: string }[];
  /** Milliseconds from the start of git to its end. */
  readonly took: number;
}

/** `git push REMOTE REF` as it is typed: nothing else is run in the time that is measured. */
export async function push(dir: string, args: readonly string[]): Promise<TimedPush> {
  const [began, epoch] = [performance.now(), Date.now()];
  const ran = await start('git', ['-C', dir, 'push', ...args], { env: gitEnv(), limitMs: 120_000 }).done;
  const took = performance.now() - began;
  const said = ran.lines
    .filter(({ text }) => text.startsWith('remote: '))
    .map(({ at, text }) => ({ after: at - epoch, text: text.slice('remote: '.length).trimEnd() }));
  return { ...ran, said, took };
}

/** The companion of every push: stock git, a plain bare repository beside, no hooks. */
export async function plainRemote(root: string, dir: string, ref = 'HEAD'): Promise<() => Promise<number>> {
  const plain = `${root}/plain.git`;
  await git(root, ['init', '-q', '--bare', '-b', 'main', plain]);
  await git(dir, ['push', '-q', plain, `${ref}:refs/heads/main`]);
  return async () => {
    const pushed = await push(dir, ['-q', plain, '+HEAD:refs/heads/main']);
    if (pushed.code !== 0) throw new Error(`the plain push failed: ${pushed.stderr}`);
    return pushed.took;
  };
}

/** Asks again and again, without a pause to speak of, until the answer is that text; milliseconds since `began`. */
export async function answers(url: string, text: string, began = performance.now()): Promise<number> {
  const until = performance.now() + 30_000;
  for (;;) {
    const answer = await ask(url).catch(() => null);
    if (answer?.status === 200 && (text === '' || answer.text.trim() === text))
      return performance.now() - began;
    if (performance.now() > until) throw new Error(`${url} did not answer ${text} in 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
