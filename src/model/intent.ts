/**
 * Intent by stage. A later stage cannot take an earlier one: text → `Document` (one valid document with its place) →
 * `Intent` (all of them, cross-checked). The raw shapes come from the schemas (`*.gen.ts`).
 */
import type { App as RawApp } from './app.gen.ts';
import type { System as RawSystem } from './system.gen.ts';

type Defaulted<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]-?: Exclude<T[P], undefined> };

/** An App with every default filled in. */
export type App = Readonly<
  Omit<
    Defaulted<
      RawApp,
      | 'health_endpoint'
      | 'health_timeout_ms'
      | 'drain_timeout_ms'
      | 'env'
      | 'secrets'
      | 'shared_dirs'
      | 'hosts'
      | 'path_prefix'
      | 'replicas'
      | 'on_failure'
      | 'after'
      | 'keep_previous_warm'
      | 'suspend'
    >,
    'source'
  >
> & { readonly source: AppSource };

export interface AppSource {
  readonly repo: string;
  readonly ref: string | null;
  readonly path: string;
}

/** A System with every default filled in. */
export interface System {
  readonly name: string;
  readonly backend: NonNullable<RawSystem['backend']>;
  readonly guard: { readonly max_stop: number };
  readonly alerts: readonly { readonly webhook: string; readonly events: readonly AlertCondition[] }[];
}

export type AlertCondition =
  | 'deploy-failing'
  | 'health-timeout'
  | 'crash-loop'
  | 'unit-held'
  | 'disk-pressure';

/** The validated documents of one commit. */
export interface Intent {
  readonly commit: string;
  readonly system: System;
  readonly apps: ReadonlyMap<string, App>;
  /** Which file each document came from, by unit name: where the imperative commands edit. */
  readonly files: ReadonlyMap<string, string>;
}
