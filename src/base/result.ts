/**
 * Expected failures are values. A failure says what to do next, so no caller has to guess whether to retry;
 * an exception means a bug, or a boundary that converts it once.
 */

/** What the reconciler may do after a failure. `never`: until intent, source or the world changes. */
export type Retry =
  | { readonly kind: 'never' }
  | { readonly kind: 'after'; readonly ms: number }
  | { readonly kind: 'backoff' };

export interface Failure {
  /** From the table in `src/base/errors.ts`: stable, kebab-case, documented in docs/errors.md. */
  readonly code: string;
  /** One sentence for a person: what was wrong, what was expected, what to do. Never a secret. */
  readonly message: string;
  readonly retry: Retry;
  /** Further facts for machines, and for people in longer output (`log_tail`, `hint`). */
  readonly details?: Readonly<Record<string, unknown>>;
}

export type Result<T, E = Failure> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

export function ok(): Result<void, never>;
export function ok<T>(value: T): Result<T, never>;
export function ok(value?: unknown): Result<unknown, never> {
  return { ok: true, value };
}

export function err<E>(error: E): Result<never, E> {
  return { ok: false, error };
}

/** A failure that only a change of intent, source or the world can mend, unless `retry` says otherwise. */
export function failure(
  code: string,
  message: string,
  more: { readonly retry?: Retry; readonly details?: Readonly<Record<string, unknown>> } = {},
): Failure {
  return {
    code,
    message,
    retry: more.retry ?? { kind: 'never' },
    ...(more.details === undefined ? {} : { details: more.details }),
  };
}

/** Marks the end of an exhaustive switch; throwing means a bug. */
export function assertNever(value: never): never {
  throw new Error(`unexpected variant: ${JSON.stringify(value)}`);
}
