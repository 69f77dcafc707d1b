/**
 * What a route is: data that says who may call it with what and what comes back, and one function that asks the
 * control plane. Validation, OpenAPI, the access table in docs/security.md and its test are all read from this data.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '../base/errors.ts';
import type { Failure, Result } from '../base/result.ts';
import type { Scrubber } from '../base/scrub.ts';
import type { Caller, ControlPlane } from '../model/control-plane.ts';
import type { Role } from '../model/token.ts';
import type { Clock, Random, TokenTable } from '../ports.ts';
import type { GitHost } from './git.ts';
import type { Schema } from './schema.ts';
import type { StreamWriter } from './stream.ts';

export type Method = 'GET' | 'POST' | 'DELETE';

export interface Route {
  readonly method: Method;
  /** With `{name}` for parameters, as OpenAPI writes it. */
  readonly path: string;
  /** `operationId` in OpenAPI. */
  readonly id: string;
  readonly summary: string;
  /** Who may call it; `open`: anybody, without a token. */
  readonly roles: readonly Role[] | 'open';
  /** Other roles when a query parameter has this value (git asks for either service at one path). */
  readonly rolesWhen?: { readonly query: string; readonly equals: string; readonly roles: readonly Role[] };
  /** `basic`: git's way, the token as password; bearer is taken as well. */
  readonly credentials?: 'basic';
  readonly params?: Readonly<Record<string, Schema>>;
  readonly query?: Readonly<Record<string, Schema>>;
  readonly body?: BodySpec;
  /** What comes back when all is well. */
  readonly answer: AnswerSpec;
  /** Codes of its own beside those that any route may answer with. */
  readonly errors: readonly ErrorCode[];
  /** Counts against the limit of open streams and long waits. */
  readonly long?: boolean;
  readonly handle: (call: Call, parts: ApiParts) => Promise<Answer> | Answer;
}

export interface BodySpec {
  readonly schema: Schema;
  /** False: no body at all counts as `{}`. */
  readonly required: boolean;
  readonly maxBytes: number;
}

export interface AnswerSpec {
  readonly status: number;
  readonly description: string;
  /** Null: not JSON. */
  readonly schema: Schema | null;
  /** Content types beside JSON. */
  readonly types?: readonly string[];
}

/** One request after authentication, role check and validation. */
export interface Call {
  readonly caller: Caller & { readonly role: Role | 'none' };
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | number | boolean>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** Lower-case name. */
  readonly header: (name: string) => string | null;
  /** Aborts when the client goes away or the server closes. */
  readonly signal: AbortSignal;
  /** False once the token that opened this call is revoked or expired. For streams, asked now and then. */
  readonly stillAllowed: () => boolean;
  readonly raw: { readonly request: IncomingMessage; readonly response: ServerResponse };
}

export type Answer =
  | { readonly kind: 'json'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'text'; readonly status: number; readonly type: string; readonly body: string }
  | { readonly kind: 'stream'; readonly type: string; readonly pump: (out: StreamWriter) => Promise<void> }
  | { readonly kind: 'failure'; readonly failure: Failure }
  /** The handler wrote to the raw response itself. */
  | { readonly kind: 'taken' };

/** What the handlers work with. */
export interface ApiParts {
  readonly control: ControlPlane;
  readonly tokens: TokenTable;
  readonly git: GitHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly scrubber: Scrubber;
  readonly openApi: () => unknown;
  /** The whole metrics page. */
  readonly metrics: () => Promise<string>;
}

export const VIEWERS: readonly Role[] = ['viewer', 'deployer', 'operator'];
export const DEPLOYERS: readonly Role[] = ['deployer', 'operator'];
export const OPERATORS: readonly Role[] = ['operator'];
/** What a backup contact may see as well. */
export const STATUS_READERS: readonly Role[] = [...VIEWERS, 'backup'];
/** Every role there is. */
export const ANYBODY: readonly Role[] = [...STATUS_READERS, 'node', 'agent'];

export function json(body: unknown, status = 200): Answer {
  return { kind: 'json', status, body };
}

export function failed(failure: Failure): Answer {
  return { kind: 'failure', failure };
}

/** The value as JSON, or its failure. */
export function answer<T>(result: Result<T>): Answer {
  return result.ok ? json(result.value) : failed(result.error);
}
