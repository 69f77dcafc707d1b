/** Access tokens: made, listed, revoked. A token is shown once, when it is made; only its hash is kept. */
import { failure } from '../base/result.ts';
import type { Role, TokenRecord } from '../model/token.ts';
import { hashToken, OPERATOR_NAME } from './access.ts';
import { durationMs } from './query.ts';
import { failed, json, OPERATORS } from './route.ts';
import type { Answer, ApiParts, Call, Route } from './route.ts';
import {
  durationInput,
  nameInput,
  object,
  oneOf,
  page,
  ref,
  says,
  text,
  textOrNull,
  time,
} from './schema.ts';

/** Those that a person can hand out; `node` and `agent` tokens are issued by the daemon to what it starts. */
const GIVEN: readonly Role[] = ['viewer', 'deployer', 'operator', 'backup'];

const TOKEN_BYTES = 24;

/** As the schema of the route has it. */
interface NewToken {
  readonly role: Role;
  readonly name?: string;
  readonly ttl?: string;
}

function create(call: Call, { tokens, clock, random }: ApiParts): Answer {
  const { role, ttl, ...given } = call.body as unknown as NewToken;
  const name = given.name ?? `${role}-${random.hex(3)}`;
  const now = clock.now();
  const token = `mst_${random.hex(TOKEN_BYTES)}`;
  const record: TokenRecord = {
    hash: hashToken(token),
    name,
    role,
    createdAt: now,
    expiresAt: ttl === undefined ? null : now + durationMs(ttl),
    revokedAt: null,
  };
  if (name === OPERATOR_NAME || !tokens.create(record)) {
    return failed(
      failure(
        'token-exists',
        `A token named "${name}" exists. Choose another name, or revoke that one first.`,
      ),
    );
  }
  return json({ ...shown(record), token }, 201);
}

function revoke(call: Call, { tokens, clock }: ApiParts): Answer {
  const name = String(call.params['name']);
  const now = clock.now();
  if (tokens.revoke(name, now)) return json({ name, revoked_at: rfc3339(now) });
  const hint =
    name === OPERATOR_NAME
      ? ' The operator token is changed by replacing operator.token and restarting.'
      : '';
  return failed(failure('unknown-token', `No live token is named "${name}".${hint}`));
}

function shown(record: TokenRecord) {
  return {
    name: record.name,
    role: record.role,
    created_at: rfc3339(record.createdAt),
    expires_at: record.expiresAt === null ? null : rfc3339(record.expiresAt),
    revoked_at: record.revokedAt === null ? null : rfc3339(record.revokedAt),
  };
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}

export const tokenRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/tokens',
    id: 'listTokens',
    summary: 'Every token that was made, without the tokens themselves',
    roles: OPERATORS,
    answer: { status: 200, description: 'All of them', schema: page(ref('Token')) },
    errors: [],
    handle: (_call, { tokens }) => json({ items: tokens.all().map(shown), next: null }),
  },
  {
    method: 'POST',
    path: '/v1/tokens',
    id: 'createToken',
    summary: 'Make a token; the answer is the only place where it is shown',
    roles: OPERATORS,
    body: {
      schema: object(
        { role: oneOf(...GIVEN) },
        {
          name: says(nameInput, 'Stands in commits and logs.'),
          ttl: says(durationInput, 'Valid for this long; for good by default.'),
        },
      ),
      required: true,
      maxBytes: 16 * 1024,
    },
    answer: {
      status: 201,
      description: 'The new token',
      schema: object({
        name: text,
        role: text,
        created_at: time,
        expires_at: textOrNull,
        revoked_at: textOrNull,
        token: text,
      }),
    },
    errors: ['token-exists'],
    handle: create,
  },
  {
    method: 'DELETE',
    path: '/v1/tokens/{name}',
    id: 'revokeToken',
    summary: 'Revoke a token; open streams of it end within seconds',
    roles: OPERATORS,
    params: { name: nameInput },
    answer: { status: 200, description: 'Revoked', schema: object({ name: text, revoked_at: time }) },
    errors: ['unknown-token'],
    handle: revoke,
  },
];
