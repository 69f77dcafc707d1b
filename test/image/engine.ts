/** The Docker engine as a person uses it, by its command line: is there one, and one command with a limit. */
import { ok, run } from '../support/run-command.ts';
import { eventually } from '../support/wait.ts';

const env = { ...process.env } as Record<string, string>;

/** Why no container can be run here; null when an engine answers. */
export async function whyNoEngine(): Promise<string | null> {
  const asked = ['version', '--format', '{{.Server.Os}}'];
  const ran = await run('docker', asked, { env, limitMs: 10_000 }).catch(() => null);
  if (ran === null) return 'docker is not installed';
  if (ran.code !== 0) return `no Docker engine answers: ${ran.stderr.trim().split('\n').at(-1) ?? ''}`;
  return ran.stdout.trim() === 'linux' ? null : 'the Docker engine runs no Linux containers';
}

/** Runs `docker ARGS` and returns what it printed; fails unless it exits 0. */
export function docker(args: readonly string[], limitMs = 60_000): Promise<string> {
  return ok('docker', args, { env, limitMs });
}

/** Waits as `eventually` does, but not for a container that has ended; what it printed is in the failure. */
export async function meanwhile(
  container: string,
  what: string,
  probe: () => Promise<boolean>,
  limitMs = 60_000,
): Promise<void> {
  let ended = false;
  const waited = eventually(
    what,
    async () => {
      ended = (await docker(['inspect', '--format', '{{.State.Running}}', container])) !== 'true';
      return ended || (await probe());
    },
    limitMs,
  );
  const problem = await waited.then(
    () => (ended ? new Error(`the container ended instead: ${what}`) : null),
    (error: unknown) => (error instanceof Error ? error : new Error('it threw no error', { cause: error })),
  );
  if (problem === null) return;
  const printed = await run('docker', ['logs', container], { env });
  throw new Error(`${problem.message}\n${printed.stdout}${printed.stderr}`, { cause: problem });
}

/** Removes what is there and does not mind what is not. */
export async function discard(what: {
  readonly containers: readonly string[];
  readonly volumes: readonly string[];
  readonly images: readonly string[];
}): Promise<void> {
  await run('docker', ['rm', '--force', '--volumes', ...what.containers], { env });
  await run('docker', ['volume', 'rm', '--force', ...what.volumes], { env });
  for (const image of what.images) await run('docker', ['rmi', '--force', image], { env });
}
