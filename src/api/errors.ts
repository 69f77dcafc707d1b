/** How a failure goes out: the error body, its status and Retry-After. */
import { meaningOf } from '../base/errors.ts';
import { failure } from '../base/result.ts';
import type { Failure } from '../base/result.ts';
import type { Scrubber } from '../base/scrub.ts';

export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly retriable: boolean;
  readonly retry_after_ms?: number;
  readonly details?: unknown;
}

export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorBody;
  readonly headers: Readonly<Record<string, string>>;
}

/** Said to retriable callers when the failure itself names no time. */
const RETRY_AFTER_MS = 1000;

export function errorAnswer(reason: Failure, scrubber: Scrubber): ErrorAnswer {
  const { status, retriable: byCode } = meaningOf(reason.code);
  const retriable = byCode || reason.retry.kind !== 'never';
  const after = reason.retry.kind === 'after' ? reason.retry.ms : retriable ? RETRY_AFTER_MS : null;
  return {
    status,
    body: {
      code: reason.code,
      message: scrubber.text(reason.message),
      retriable,
      ...(after === null ? {} : { retry_after_ms: Math.ceil(after) }),
      ...(reason.details === undefined ? {} : { details: scrubber.value(reason.details) }),
    },
    headers: after === null ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(after / 1000))) },
  };
}

/** What the caller learns of a bug: where to look, and nothing of what went wrong inside. */
export function internalFailure(correlationId: string): Failure {
  return failure(
    'internal',
    `This is a bug in Mainstay. The daemon's log has its cause under correlation id ${correlationId}.`,
  );
}
