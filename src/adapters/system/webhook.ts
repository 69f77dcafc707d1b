/** Posts a small JSON document to a URL that intent names; no redirects, bounded in time. */
import { err, failure, ok, type Result } from '../../base/result.ts';
import { messageOf } from '../../base/thrown.ts';

const LIMIT_MS = 10_000;

/** Fails with `webhook-failed` (backoff): not reached in time, or not answered by 2xx. The URL is not repeated: it may hold a secret. */
export async function postWebhook(
  url: string,
  body: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Result<void>> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
    });
    await answer.body?.cancel();
    return answer.ok ? ok() : err(failed(`it answered ${answer.status}`));
  } catch (error) {
    return err(failed(messageOf(error)));
  }
}

function failed(why: string): ReturnType<typeof failure> {
  return failure('webhook-failed', `the webhook did not take it: ${why}`, { retry: { kind: 'backoff' } });
}
