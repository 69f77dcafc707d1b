/**
 * What an app's process finds in its environment beside what the control loop adds: its env file, its declared `env`
 * (which wins over the file), and the paths of its secrets (which win over both).
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { err, failure, ok, type Result } from '../../base/result.ts';
import { namesSecret } from '../../base/scrub.ts';
import type { Environment, EnvironmentRequest, Random } from '../../ports.ts';
import { appFolder } from './app-folder.ts';
import { readConfined, type ConfinedRead } from './confined-file.ts';
import { parseEnvFile } from './env-file.ts';
import { placeSecrets } from './secret-files.ts';

export interface EnvironmentOptions {
  readonly dataDir: string;
  readonly random: Random;
  /** Told of each value that is a secret before a process gets it, so that it can be masked wherever it is printed. */
  readonly onSecret?: (value: string) => void;
}

const ENV_FILE_MAX_BYTES = 256 * 1024;

/** Failures: `env-file-invalid` (details `file`, `line`) and `secret-missing` (details `secret`, `file`). */
export function createEnvironment(options: EnvironmentOptions): Environment {
  const onSecret = options.onSecret ?? ((): void => undefined);
  const secretsOf = (app: string, slot: string): string => {
    // Both names are checked on the way: they become folders.
    const folder = appFolder(options.dataDir, app);
    folder.slot(slot);
    return join(options.dataDir, 'run', 'secrets', app, slot);
  };
  return {
    async resolve(request) {
      const fromFile = await readEnvFile(options, request);
      if (!fromFile.ok) return fromFile;
      for (const [name, value] of Object.entries(fromFile.value)) if (namesSecret(name)) onSecret(value);
      if (request.secrets.length === 0) return ok({ ...fromFile.value, ...request.env });
      const target = secretsOf(request.app, request.slot);
      const sources = join(options.dataDir, 'secrets');
      const placed = await placeSecrets(
        { sources, target, random: options.random, onSecret },
        request.secrets,
      );
      if (!placed.ok) return placed;
      const paths = [...placed.value].map(([name, path]) => [variableOf(name), path] as const);
      return ok({
        ...fromFile.value,
        ...request.env,
        MAINSTAY_SECRETS: target,
        ...Object.fromEntries(paths),
      });
    },
    forget: (app, slot) => rm(secretsOf(app, slot), { recursive: true, force: true }),
  };
}

/** `db-password` is found in DB_PASSWORD_FILE. */
function variableOf(secret: string): string {
  return `${secret.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_FILE`;
}

async function readEnvFile(
  options: EnvironmentOptions,
  request: EnvironmentRequest,
): Promise<Result<Readonly<Record<string, string>>>> {
  const { envFile, dir } = request;
  if (envFile === null) return ok({});
  // A shared folder is the app's own as well, although its link leads out of the slot.
  const roots = envFile.startsWith('/') ? null : [dir, appFolder(options.dataDir, request.app).shared];
  const read = await readConfined(envFile, dir, roots, ENV_FILE_MAX_BYTES);
  if (read.kind !== 'read') return err(invalid(envFile, REASONS[read.kind]));
  const parsed = parseEnvFile(read.bytes.toString('utf8'));
  if (parsed.ok) return parsed;
  return err(invalid(envFile, `line ${parsed.error.line}: ${parsed.error.message}`, parsed.error.line));
}

const REASONS: Readonly<Record<Exclude<ConfinedRead['kind'], 'read'>, string>> = {
  missing: 'there is no such file in this version; add it, or correct env_file',
  outside: "it leads out of the app's folder",
  'not-a-file': 'it is not a file',
  'too-large': `it is larger than ${ENV_FILE_MAX_BYTES} bytes`,
  unreadable: 'it cannot be read; check its permissions',
};

function invalid(file: string, why: string, line?: number): ReturnType<typeof failure> {
  const details = { file, ...(line === undefined ? {} : { line }) };
  return failure('env-file-invalid', `The env_file ${JSON.stringify(file)} cannot be used: ${why}.`, {
    details,
  });
}
