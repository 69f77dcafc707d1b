/** A real API server on a free port over the fake control plane and a real store, with a token of every kind. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../../../src/adapters/store/open.ts';
import { hashToken } from '../../../src/api/access.ts';
import type { GitHost } from '../../../src/api/git.ts';
import { createApiServer } from '../../../src/api/server.ts';
import type { ApiOptions, ApiServer } from '../../../src/api/server.ts';
import { createScrubber } from '../../../src/base/scrub.ts';
import { ROLES } from '../../../src/model/token.ts';
import type { Role } from '../../../src/model/token.ts';
import type { Clock, Log, Random, TokenTable } from '../../../src/ports.ts';
import { createFakeControlPlane } from '../../fakes/control-plane.ts';
import type { FakeControlPlane } from '../../fakes/control-plane.ts';

export const OPERATOR_TOKEN = 'mst_first_operator-token-of-the-tests';

export interface TestApi {
  readonly api: ApiServer;
  readonly url: string;
  readonly options: ApiOptions;
  readonly control: FakeControlPlane;
  readonly tokens: TokenTable;
  /** What the git host was asked, e.g. `/info/refs by operator`. */
  readonly git: string[];
  readonly logged: {
    readonly level: string;
    readonly message: string;
    readonly fields: Record<string, unknown>;
  }[];
  /** Headers of the token that `who` names: a role, or `expired-ROLE`, `revoked-ROLE`. */
  as(who: string): Record<string, string>;
  /** One request as the operator, unless `init.headers` says otherwise. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown, who?: string): Promise<Response>;
  stop(): Promise<void>;
}

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, true, signal === undefined ? {} : { signal }).catch(() => false),
};

export async function startApi(
  options: Partial<ApiOptions> & { readonly apps?: readonly string[] } = {},
): Promise<TestApi> {
  const folder = mkdtempSync(join(tmpdir(), 'mainstay-api-'));
  const store = openStore({ file: join(folder, 'mainstay.db') });
  if (!store.ok) throw new Error(store.error.message);
  const { tokens } = store.value;
  makeTokens(tokens);
  const control = createFakeControlPlane(options.apps);
  const git: string[] = [];
  const logged: TestApi['logged'] = [];
  const full: ApiOptions = {
    control,
    tokens,
    operatorToken: OPERATOR_TOKEN,
    git: gitHost(git),
    log: memoryLog(logged),
    clock: realClock,
    random: countingRandom(),
    scrubber: createScrubber(),
    version: '0.0.0',
    listen: { host: '127.0.0.1', port: 0 },
    ...options,
  };
  const started = await createApiServer(full);
  if (!started.ok) throw new Error(started.error.message);
  const api = started.value;
  api.open();
  const as = (who: string) => ({ authorization: `Bearer ${tokenFor(who)}` });
  const request = (path: string, init: RequestInit = {}) =>
    fetch(api.url + path, { headers: as('operator'), ...init });
  return {
    api,
    url: api.url,
    options: full,
    control,
    tokens,
    git,
    logged,
    as,
    fetch: request,
    post: (path, body, who = 'operator') =>
      request(path, { method: 'POST', headers: as(who), body: JSON.stringify(body) }),
    stop: async () => {
      await api.close(100);
      store.value.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function tokenFor(who: string): string {
  return who === 'operator' ? OPERATOR_TOKEN : `token-of-${who}`;
}

function makeTokens(tokens: TokenTable): void {
  const make = (
    who: string,
    role: Role,
    more: { readonly expiresAt?: number; readonly revokedAt?: number } = {},
  ) =>
    tokens.create({
      hash: hashToken(tokenFor(who)),
      name: who,
      role,
      createdAt: 1,
      expiresAt: null,
      revokedAt: null,
      ...more,
    });
  for (const role of ROLES) {
    if (role !== 'operator') make(role, role);
    make(`expired-${role}`, role, { expiresAt: 2 });
    make(`revoked-${role}`, role, { revokedAt: 2 });
  }
}

function gitHost(asked: string[]): GitHost {
  return {
    handle: (_request, response, { path, by }) => {
      asked.push(`${path} by ${by}`);
      response.end('git');
      return Promise.resolve();
    },
  };
}

function memoryLog(logged: TestApi['logged']): Log {
  const write =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
      void logged.push({ level, message, fields });
  return { info: write('info'), warn: write('warn'), error: write('error') };
}

function countingRandom(): Random {
  let n = 0;
  return { next: () => 0.5, hex: (bytes) => (++n).toString(16).padStart(bytes * 2, '0') };
}
