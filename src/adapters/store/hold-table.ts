/** Holds, one of each kind a unit. */
import type { DatabaseSync } from 'node:sqlite';
import type { Hold } from '../../model/hold.ts';
import type { HoldTable } from '../../ports.ts';

export function openHoldTable(db: DatabaseSync): HoldTable {
  const all = db.prepare('SELECT body FROM holds ORDER BY unit, kind');
  const put = db.prepare(
    'INSERT INTO holds (unit, kind, body) VALUES (?, ?, ?) ON CONFLICT (unit, kind) DO UPDATE SET body = excluded.body',
  );
  const remove = db.prepare('DELETE FROM holds WHERE unit = ? AND kind = ?');
  return {
    all: () => all.all().map((row) => JSON.parse(String(row['body'])) as Hold),
    put: (hold) => {
      put.run(hold.unit, hold.kind, JSON.stringify(hold));
    },
    delete: (unit, kind) => {
      remove.run(unit, kind);
    },
  };
}
