/** Access tokens as they are kept: never the token itself, only its hash; and the roles there are. */

/** `viewer` < `deployer` < `operator`; the others stand beside that order (see docs/security.md). */
export const ROLES = ['viewer', 'deployer', 'operator', 'backup', 'node', 'agent'] as const;

export type Role = (typeof ROLES)[number];

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

/** How the operator token begins that was made at first start, as against one that somebody put there. */
export const FIRST_TOKEN_PREFIX = 'mst_first_';

export interface TokenRecord {
  /** SHA-256 of the token, hex. */
  readonly hash: string;
  /** Unique among the tokens that were ever made; stands in commits and logs. */
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
  /** Null: it does not expire by itself. */
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}
