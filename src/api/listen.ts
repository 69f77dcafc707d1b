/** Where the API may listen, and which Host headers it answers there. Pure. */
import { err, failure, ok } from '../base/result.ts';
import type { Result } from '../base/result.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Beyond loopback only when somebody set up access on purpose: a token that was made with `mainstay token create`, or
 * an operator token that was put there by hand. The one made at first start does not count. Fails with `listen-refused`.
 */
export function checkListen(
  host: string,
  { tokensConfigured }: { readonly tokensConfigured: boolean },
): Result<void> {
  if (isLoopback(host) || tokensConfigured) return ok();
  return err(
    failure(
      'listen-refused',
      `Mainstay does not listen on ${host}, where others can reach it, before access has been set up. Start it on ` +
        '127.0.0.1 and make a token ("mainstay token create --role deployer"), or put a token of your own into ' +
        'operator.token in the data folder before the first start. Put TLS in front of it in any case.',
      { details: { host } },
    ),
  );
}

/**
 * Against DNS rebinding: a listener on loopback answers only to loopback names and those given. A page in a browser
 * that has its own name resolve to 127.0.0.1 still sends that name.
 */
export function hostAllowed(
  header: string | undefined,
  listenHost: string,
  allowed: readonly string[],
): boolean {
  if (!isLoopback(listenHost)) return true;
  const name = hostName(header ?? '');
  return isLoopback(name) || allowed.includes(name);
}

function hostName(header: string): string {
  const match = /^(\[[0-9a-f:.]+\]|[^:]+)(?::\d{1,5})?$/i.exec(header.trim());
  return (match?.[1] ?? '').toLowerCase().replace(/\.$/, '');
}
