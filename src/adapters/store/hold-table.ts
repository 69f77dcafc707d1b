/** Holds, one a unit. */
import type { DatabaseSync } from 'node:sqlite';
import type { Hold } from '../../model/hold.ts';
import type { HoldTable } from '../../ports.ts';

export function openHoldTable(db: DatabaseSync): HoldTable {
  const all = db.prepare('SELECT body FROM holds ORDER BY unit');
  const put = db.prepare(
    'INSERT INTO holds (unit, body) VALUES (?, ?) ON CONFLICT (unit) DO UPDATE SET body = excluded.body',
  );
  const remove = db.prepare('DELETE FROM holds WHERE unit = ?');
  return {
    all: () => all.all().map((row) => JSON.parse(String(row['body'])) as Hold),
    put: (hold) => {
      put.run(hold.unit, JSON.stringify(hold));
    },
    delete: (unit) => {
      remove.run(unit);
    },
  };
}
