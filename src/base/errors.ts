/**
 * The one table of failure codes: what a code means, the HTTP status it goes out with, and whether the same request
 * may succeed later by itself. docs/errors.md is kept equal to it, and so are the codes in the source, by tests.
 */

export interface ErrorMeaning {
  readonly status: number;
  readonly retriable: boolean;
  readonly meaning: string;
}

const table = {
  // What the API itself says of a request.
  'token-required': { status: 401, retriable: false, meaning: 'The request carries no token.' },
  'token-invalid': { status: 401, retriable: false, meaning: 'No such token is known here.' },
  'token-expired': {
    status: 401,
    retriable: false,
    meaning: 'The token was valid until a time that has passed.',
  },
  'token-revoked': { status: 401, retriable: false, meaning: 'The token was revoked.' },
  forbidden: { status: 403, retriable: false, meaning: "The token's role does not allow this." },
  'wrong-host': {
    status: 421,
    retriable: false,
    meaning: 'The Host header names a host that this listener does not serve.',
  },
  'route-unknown': { status: 404, retriable: false, meaning: 'No route has this path.' },
  'method-not-allowed': {
    status: 405,
    retriable: false,
    meaning: 'The path exists, with the methods in the Allow header.',
  },
  'body-too-large': { status: 413, retriable: false, meaning: 'The body is larger than the route takes.' },
  'body-timeout': { status: 408, retriable: true, meaning: 'The body did not arrive in time.' },
  'invalid-json': { status: 400, retriable: false, meaning: 'The body is not JSON.' },
  'invalid-request': {
    status: 400,
    retriable: false,
    meaning: 'A field of the path, the query or the body is not as the route expects it.',
  },
  'too-many-streams': {
    status: 503,
    retriable: true,
    meaning: 'As many streams and long waits are open as the daemon allows.',
  },
  starting: { status: 503, retriable: true, meaning: 'The daemon is not ready yet.' },
  'app-required': {
    status: 400,
    retriable: false,
    meaning: 'Several apps are deployed and the request names none.',
  },
  'app-unknown': { status: 404, retriable: false, meaning: 'Intent has no app of this name.' },
  'token-not-found': { status: 404, retriable: false, meaning: 'No live token has this name.' },
  'token-exists': { status: 409, retriable: false, meaning: 'A live token has this name already.' },
  internal: {
    status: 500,
    retriable: false,
    meaning: 'A bug: the log has the cause under the same correlation id.',
  },
  // Starting the daemon.
  'listen-refused': {
    status: 500,
    retriable: false,
    meaning: 'Listening beyond loopback needs a token that somebody made on purpose.',
  },
  'listen-failed': { status: 500, retriable: false, meaning: 'The address cannot be listened on.' },
  'operator-token-unusable': {
    status: 500,
    retriable: false,
    meaning: 'DATA/operator.token cannot be read, written or used.',
  },
  'data-in-use': { status: 500, retriable: false, meaning: 'Another daemon holds this data folder.' },
  'store-corrupt': { status: 500, retriable: false, meaning: 'The database in the data folder is damaged.' },
  'store-newer': { status: 500, retriable: false, meaning: 'A newer Mainstay wrote the database.' },
  'store-unavailable': {
    status: 500,
    retriable: false,
    meaning: 'The database cannot be opened: permissions, disk or path.',
  },
} as const satisfies Readonly<Record<string, ErrorMeaning>>;

export type ErrorCode = keyof typeof table;

export const ERRORS: Readonly<Record<ErrorCode, ErrorMeaning>> = table;

/** The meaning of a code; one that is not in the table (a bug that a test catches) counts as `internal`. */
export function meaningOf(code: string): ErrorMeaning {
  return Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : ERRORS.internal;
}
