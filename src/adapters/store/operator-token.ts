/**
 * DATA/operator.token: the operator's token, made at first start and kept. One that somebody put there beforehand is
 * used as it is. Nobody but this user can read it.
 */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { err, failure, ok } from '../../base/result.ts';
import type { Result } from '../../base/result.ts';
import { messageOf } from '../../base/thrown.ts';
import { FIRST_TOKEN_PREFIX } from '../../model/token.ts';
import type { Random } from '../../ports.ts';

export interface OperatorToken {
  readonly token: string;
  readonly file: string;
  /** True when it was made just now. */
  readonly made: boolean;
}

const FORM = /^[A-Za-z0-9_-]{16,256}$/;
const TOKEN_BYTES = 24;

/** Fails with `operator-token-unusable`. */
export function ensureOperatorToken(dataDir: string, random: Random): Result<OperatorToken> {
  const file = join(dataDir, 'operator.token');
  try {
    const found = readToken(file);
    if (found === null) {
      const token = FIRST_TOKEN_PREFIX + random.hex(TOKEN_BYTES);
      writeToken(file, token);
      return ok({ token, file, made: true });
    }
    if (!FORM.test(found))
      return unusable(file, 'it must hold one token of 16 to 256 letters, digits, "_" or "-"');
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
    return ok({ token: found, file, made: false });
  } catch (error) {
    return unusable(file, messageOf(error));
  }
}

function readToken(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Whole or not at all: a token that is cut off by a crash would lock everybody out. */
function writeToken(file: string, token: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${file}.new`;
  const fd = openSync(temporary, 'w', 0o600);
  writeSync(fd, token);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(temporary, file);
  const folderFd = openSync(folder, 'r');
  fsyncSync(folderFd);
  closeSync(folderFd);
}

function unusable(file: string, why: string): Result<never> {
  return err(
    failure(
      'operator-token-unusable',
      `${file} cannot be used: ${why}. Correct it, or remove it to have a new one made.`,
      {
        details: { file },
      },
    ),
  );
}
