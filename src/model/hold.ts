/** The reconciler's refusal to go on with a unit, with its reason. Durable: a restart does not forget it. */
export interface Hold {
  readonly unit: string;
  /** `version`: a digest that failed to become live. `live`: what was live and kept ending. One of each a unit. */
  readonly kind: HoldKind;
  /** The desired digest that is held; another digest is not. */
  readonly digest: string;
  /** Intent commit under which it failed. */
  readonly intent: string;
  readonly code: string;
  readonly reason: string;
  readonly at: number;
  /** When the loop may try again by itself; null: only a change does. */
  readonly retryAt: number | null;
  readonly failures: number;
}

export type HoldKind = 'version' | 'live';
