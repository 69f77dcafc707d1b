/** Hands secrets to a slot as files that only their owner can read. Their content is never in a message or a log. */
import { chmod, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { err, failure, ok, type Result } from '../../base/result.ts';
import type { Random } from '../../ports.ts';
import { readConfined } from './confined-file.ts';

export interface SecretPlace {
  /** What a relative file starts at, and must stay in. */
  readonly sources: string;
  /** The slot's own folder of secrets. */
  readonly target: string;
  readonly random: Random;
  /** Told of each secret that is one line of text, as it stands there. */
  readonly onSecret: (value: string) => void;
}

const SECRET_MAX_BYTES = 1024 * 1024;

/**
 * Copies each secret to the slot's folder and removes what is not asked for any more. The paths by name.
 * Failure: `secret-missing`, with the secret's name and the file that was looked for.
 */
export async function placeSecrets(
  place: SecretPlace,
  secrets: readonly { readonly name: string; readonly file: string }[],
): Promise<Result<ReadonlyMap<string, string>>> {
  const contents = new Map<string, Buffer>();
  for (const { name, file } of secrets) {
    const roots = file.startsWith('/') ? null : [place.sources];
    const read = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)
      ? await readConfined(file, place.sources, roots, SECRET_MAX_BYTES)
      : ({ kind: 'unreadable', path: file } as const);
    if (read.kind !== 'read') return err(missing(name, read.path, REASONS[read.kind]));
    contents.set(name, read.bytes);
    const text = read.bytes.toString('utf8').trim();
    if (!text.includes('\n')) place.onSecret(text);
  }
  await mkdir(place.target, { recursive: true, mode: 0o700 });
  await chmod(place.target, 0o700);
  const paths = new Map<string, string>();
  for (const [name, bytes] of contents) paths.set(name, await placeFile(place, name, bytes));
  for (const name of await readdir(place.target)) {
    if (!contents.has(name)) await rm(join(place.target, name), { force: true });
  }
  return ok(paths);
}

const REASONS = {
  missing: 'there is no such file',
  outside: 'it leads out of the secrets folder; use an absolute path if that is meant',
  'not-a-file': 'it is not a file',
  'too-large': `it is larger than ${SECRET_MAX_BYTES} bytes`,
  unreadable: 'it cannot be read',
} as const;

/** A program that reads while a deploy writes sees the old secret or the new one. */
async function placeFile(place: SecretPlace, name: string, bytes: Buffer): Promise<string> {
  const path = join(place.target, name);
  const temporary = join(place.target, `.${name}.${place.random.hex(4)}`);
  const file = await open(temporary, 'wx', 0o400);
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  return path;
}

function missing(name: string, file: string, why: string): ReturnType<typeof failure> {
  return failure('secret-missing', `The secret ${name} cannot be read from ${file}: ${why}.`, {
    details: { secret: name, file },
  });
}
