/** A request's body: bounded in size and time, then parsed as JSON. */
import type { IncomingMessage } from 'node:http';
import { err, failure, ok } from '../base/result.ts';
import type { Result } from '../base/result.ts';
import { messageOf } from '../base/thrown.ts';
import type { Clock } from '../ports.ts';
import type { BodySpec } from './route.ts';

/** Small JSON from anywhere arrives well within this. */
const BODY_TIMEOUT_MS = 15_000;

/** Fails with `body-too-large`, `body-timeout`, `invalid-json`; `invalid-request` when there is none and must be. */
export async function readJson(
  request: IncomingMessage,
  spec: BodySpec,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result<unknown>> {
  const bytes = await readBytes(request, spec.maxBytes, clock, signal);
  if (!bytes.ok) return bytes;
  const text = bytes.value.toString('utf8').trim();
  if (text === '') {
    if (!spec.required) return ok({});
    return err(
      failure('invalid-request', 'body is required: a JSON object.', { details: { field: 'body' } }),
    );
  }
  try {
    return ok(JSON.parse(text));
  } catch (error) {
    const reason = messageOf(error);
    return err(failure('invalid-json', `The body is not JSON: ${reason}. Send one JSON object.`));
  }
}

async function readBytes(
  request: IncomingMessage,
  maxBytes: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result<Buffer>> {
  const tooLarge = err(
    failure('body-too-large', `The body is larger than the ${maxBytes} bytes that this route takes.`, {
      details: { max_bytes: maxBytes },
    }),
  );
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return tooLarge;
  const limit = new AbortController();
  const timeout = clock
    .sleep(BODY_TIMEOUT_MS, AbortSignal.any([limit.signal, signal]))
    .then(() => 'late' as const);
  try {
    const read = await Promise.race([collect(request, maxBytes), timeout]);
    if (read === 'late')
      return err(
        failure('body-timeout', `The body did not arrive within ${BODY_TIMEOUT_MS / 1000} s. Send it again.`),
      );
    return read === 'too-large' ? tooLarge : ok(read);
  } finally {
    limit.abort();
  }
}

/** By events, not by iteration: leaving a `for await` early would destroy the socket before the answer is sent. */
function collect(request: IncomingMessage, maxBytes: number): Promise<Buffer | 'too-large' | 'late'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else resolve('too-large');
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => resolve('late'));
  });
}
