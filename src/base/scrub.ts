/**
 * The one place where secrets are taken out of text: log, events, errors and answers pass through it on their way out.
 * Decides by what it was told (registered values) and by shape (credentials, well-known token formats). Masks too
 * much rather than too little.
 */

export const MASK = '***';

export interface Scrubber {
  /** The text without secrets. */
  text(text: string): string;
  /** The same for plain data, at any depth; values under telling keys are masked whole. Never throws. */
  value(value: unknown): unknown;
  /** From now on this value is masked wherever it stands. Shorter than 6 characters is ignored: it would mask words. */
  register(secret: string): void;
}

const SECRET_MIN = 6;
const DEPTH_MAX = 8;

export function createScrubber(): Scrubber {
  const secrets = new Set<string>();

  function text(input: string): string {
    let output = input;
    for (const secret of secrets) output = output.replaceAll(secret, MASK);
    for (const [pattern, replacement] of PATTERNS) output = output.replace(pattern, replacement);
    return output;
  }

  function value(input: unknown, depth: number): unknown {
    if (typeof input === 'string') return text(input);
    if (typeof input !== 'object' || input === null) return typeof input === 'bigint' ? String(input) : input;
    if (depth === 0) return '[deep]';
    if (Array.isArray(input)) return input.map((item) => value(item, depth - 1));
    if (input instanceof Error) return errorValue(input, (item) => value(item, depth - 1));
    const entries = Object.entries(input).map(([key, item]): [string, unknown] => [
      text(key),
      SECRET_KEY.test(key) && typeof item === 'string' && item !== '' ? MASK : value(item, depth - 1),
    ]);
    return Object.fromEntries(entries);
  }

  return {
    text,
    value: (input) => value(input, DEPTH_MAX),
    register: (secret) => {
      for (const form of [secret, encodeURIComponent(secret.toWellFormed())]) {
        if (form.length >= SECRET_MIN && !form.includes(MASK)) secrets.add(form);
      }
    },
  };
}

/** Keys whose value is a secret whatever it looks like; `token_file` and the like name a place, not a secret. */
const SECRET_KEY =
  /^(?:.*[_-])?(?:authorization|cookie|credentials?|passw(?:or)?d|passphrase|secret|token|(?:api|access|private|secret)[_-]?key)$/i;

/** Whether a value under that name is a secret, whatever it looks like. */
export function namesSecret(key: string): boolean {
  return SECRET_KEY.test(key);
}

const NAMED = '(?:passw(?:or)?d|passphrase|secret|token|(?:api|access|private)[_-]?key)';

/** Applied in order. Every repetition that could be tried from many starts is bounded: linear time on hostile text. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, '[private key]'],
  [/\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{8,}/gi, `$1$2${MASK}`],
  // user:password@ (the password may hold slashes or @, but a port followed by a path is no password)
  [/(:\/\/)[^\s"'<>/@:]{0,128}:(?!\d{1,5}\/)[^\s"'<>]{0,256}@/g, `$1${MASK}@`],
  // token@ as the whole user info of a web address
  [/(https?:\/\/)[^\s"'<>/@:*]{1,256}@/gi, `$1${MASK}@`],
  // NAME_TOKEN=value, --token=value, --token value, "token": "value"
  [new RegExp(`(${NAMED}["']?\\s*=\\s*)(?:"[^"\\n]*"|'[^'\\n]*'|[^\\s"'&,;)]+)`, 'gi'), `$1${MASK}`],
  [new RegExp(`(--[a-z-]{0,40}${NAMED}\\s+)[^\\s-][^\\s]*`, 'gi'), `$1${MASK}`],
  [new RegExp(`(${NAMED}\\\\?["']\\s*:\\s*)\\\\?["][^"\\n]*["]`, 'gi'), `$1"${MASK}"`],
  // Well-known formats, Mainstay's own tokens among them
  [/\bmst_[A-Za-z0-9_-]{16,}/g, MASK],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,})/g, MASK],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, MASK],
  [/\bsk-[A-Za-z0-9_-]{20,}/g, MASK],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, MASK],
];

function errorValue(error: Error, scrub: (value: unknown) => unknown): unknown {
  return {
    type: error.name,
    message: scrub(error.message),
    ...(error.stack === undefined ? {} : { stack: scrub(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: scrub(error.cause) }),
  };
}
