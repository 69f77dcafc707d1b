/** Tokens by hash. The newest with a name is the one that counts; those before it are revoked or expired. */
import type { DatabaseSync } from 'node:sqlite';
import { isRole } from '../../model/token.ts';
import type { TokenRecord } from '../../model/token.ts';
import type { TokenTable } from '../../ports.ts';

export function openTokenTable(db: DatabaseSync): TokenTable {
  const byHash = db.prepare('SELECT * FROM tokens WHERE hash = ?');
  const all = db.prepare('SELECT * FROM tokens ORDER BY created_at, name');
  const insert = db.prepare(
    `INSERT INTO tokens (hash, name, role, created_at, expires_at, revoked_at)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6
     WHERE NOT EXISTS (SELECT 1 FROM tokens
       WHERE name = ?2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?4))`,
  );
  const revoke = db.prepare('UPDATE tokens SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL');
  return {
    byHash: (hash) => {
      const row = byHash.get(hash);
      return row === undefined ? null : token(row);
    },
    all: () => all.all().map(token),
    create: ({ hash, name, role, createdAt, expiresAt, revokedAt }) =>
      insert.run(hash, name, role, createdAt, expiresAt, revokedAt).changes === 1,
    revoke: (name, at) => revoke.run(at, name).changes > 0,
  };
}

function token(row: Record<string, unknown>): TokenRecord {
  const role = String(row['role']);
  if (!isRole(role)) throw new Error(`the tokens table holds an unknown role: ${role}`);
  return {
    hash: String(row['hash']),
    name: String(row['name']),
    role,
    createdAt: Number(row['created_at']),
    expiresAt: time(row['expires_at']),
    revokedAt: time(row['revoked_at']),
  };
}

function time(value: unknown): number | null {
  return value === null ? null : Number(value);
}
