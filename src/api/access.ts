/**
 * Who calls: from the Authorization header to a name and a role. Tokens are known by their SHA-256 alone; comparing
 * hashes says nothing about a token through time. What a role may do stands with each route.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { err, failure, ok } from '../base/result.ts';
import type { Result } from '../base/result.ts';
import type { Caller } from '../model/control-plane.ts';
import { FIRST_TOKEN_PREFIX } from '../model/token.ts';
import type { Role } from '../model/token.ts';
import type { Clock, TokenTable } from '../ports.ts';

export type KnownCaller = Caller & { readonly role: Role };

export interface Access {
  /** `basic` takes the password of Basic credentials (any user name) as the token, as well as a bearer token. */
  identify(authorization: string | undefined, credentials: 'bearer' | 'basic'): Result<KnownCaller>;
}

/** Name of the token in DATA/operator.token; no other token can have it. */
export const OPERATOR_NAME = 'operator';

/** Whether somebody set up access on purpose: what a listener beyond loopback waits for (see `checkListen`). */
export function accessConfigured(tokens: TokenTable, operatorToken: string, now: number): boolean {
  if (!operatorToken.startsWith(FIRST_TOKEN_PREFIX)) return true;
  return tokens
    .all()
    .some(({ revokedAt, expiresAt }) => revokedAt === null && (expiresAt === null || expiresAt > now));
}

/** A token that could be one: longer headers are not even hashed. */
const TOKEN_MAX_CHARS = 512;

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export function createAccess(parts: {
  readonly tokens: TokenTable;
  readonly operatorToken: string;
  readonly clock: Clock;
}): Access {
  const operatorHash = Buffer.from(hashToken(parts.operatorToken));

  function know(token: string): Result<KnownCaller> {
    const hash = hashToken(token);
    if (timingSafeEqual(Buffer.from(hash), operatorHash))
      return ok({ name: OPERATOR_NAME, role: 'operator' });
    const record = parts.tokens.byHash(hash);
    if (record === null) {
      return err(
        failure(
          'token-invalid',
          'This token is not known here. Check that it was made for this daemon and copied whole.',
        ),
      );
    }
    if (record.revokedAt !== null) {
      return err(
        failure('token-revoked', `The token "${record.name}" was revoked. Ask an operator for another one.`),
      );
    }
    if (record.expiresAt !== null && record.expiresAt <= parts.clock.now()) {
      return err(
        failure('token-expired', `The token "${record.name}" has expired. Ask an operator for another one.`),
      );
    }
    return ok({ name: record.name, role: record.role });
  }

  return {
    identify: (authorization, credentials) => {
      const token = tokenOf(authorization, credentials);
      return token === null ? err(failure('token-required', REQUIRED[credentials])) : know(token);
    },
  };
}

const REQUIRED = {
  bearer:
    'This needs a token in "Authorization: Bearer TOKEN". The operator\'s stands in operator.token in the data folder; ' +
    'more are made with "mainstay token create".',
  basic: 'Git needs a token as the password (any user name). More are made with "mainstay token create".',
};

function tokenOf(authorization: string | undefined, credentials: 'bearer' | 'basic'): string | null {
  const match = /^(bearer|basic) +(\S+) *$/i.exec(authorization ?? '');
  const scheme = match?.[1]?.toLowerCase();
  const value = match?.[2] ?? '';
  if (value.length > TOKEN_MAX_CHARS * 2) return null;
  if (scheme === 'bearer') return value;
  if (scheme !== 'basic' || credentials !== 'basic') return null;
  const plain = Buffer.from(value, 'base64').toString();
  const colon = plain.indexOf(':');
  return colon === -1 || colon === plain.length - 1 ? null : plain.slice(colon + 1);
}
