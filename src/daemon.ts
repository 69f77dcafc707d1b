/** Wiring only: builds every part, starts and stops them in order. Not wired yet: this names what `serve` expects. */
import { err, failure } from './base/result.ts';
import type { Result } from './base/result.ts';
import type { Config } from './config.ts';

export interface Daemon {
  /** Where the API answers, without a trailing slash; the push URL is `<url>/intent.git`. */
  readonly url: string;
  /** One phrase, e.g. `in process and HTTP (no NATS)`. */
  readonly presence: string;
  /** Settles when everything is closed: after `stop`, after POST /v1/shutdown, or with the failure that ended it. */
  readonly done: Promise<Result<void>>;
  /** Idempotent; begins the end and returns when it is done. `drain`: what runs is stopped, too. */
  stop(options: { readonly drain: boolean }): Promise<void>;
}

export async function startDaemon(_config: Config): Promise<Result<Daemon>> {
  return err(failure('not-wired', 'the daemon is not wired yet'));
}
