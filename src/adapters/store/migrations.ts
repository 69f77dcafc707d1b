/**
 * The shape of the database, as numbered steps that only ever grow at the end. `PRAGMA user_version` holds how many
 * have been taken; each step commits together with its number, so a crash in between repeats nothing.
 */
import type { DatabaseSync } from 'node:sqlite';

const STEPS: readonly string[] = [
  `CREATE TABLE commits (
     hash TEXT PRIMARY KEY,
     seq INTEGER NOT NULL,
     revision INTEGER NOT NULL,
     tree TEXT NOT NULL,
     ever_converged INTEGER NOT NULL,
     noted INTEGER NOT NULL,
     finished INTEGER NOT NULL,
     body TEXT NOT NULL
   ) STRICT;
   CREATE INDEX commits_by_seq ON commits (seq);
   CREATE INDEX commits_unfinished ON commits (seq) WHERE finished = 0;
   CREATE INDEX commits_unnoted ON commits (seq) WHERE noted = 0;
   CREATE INDEX commits_converged ON commits (tree) WHERE ever_converged = 1;
   CREATE TABLE holds (unit TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (unit, kind)) STRICT;
   CREATE TABLE kept_values (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
   CREATE TABLE tokens (
     hash TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     role TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     expires_at INTEGER,
     revoked_at INTEGER
   ) STRICT;`,
];

export const SCHEMA_VERSION = STEPS.length;

/** The version found; greater than SCHEMA_VERSION when a newer Mainstay wrote this database (then nothing is changed). */
export function migrate(db: DatabaseSync): number {
  const row = db.prepare('PRAGMA user_version').get();
  const found = Number(row?.['user_version'] ?? 0);
  for (let version = found; version < STEPS.length; version++) {
    db.exec(`BEGIN IMMEDIATE; ${STEPS[version]} PRAGMA user_version = ${version + 1}; COMMIT`);
  }
  return found;
}
