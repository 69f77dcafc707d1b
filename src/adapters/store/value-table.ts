/** Single values by name. */
import type { DatabaseSync } from 'node:sqlite';
import type { ValueTable } from '../../ports.ts';

export function openValueTable(db: DatabaseSync): ValueTable {
  const get = db.prepare('SELECT value FROM kept_values WHERE name = ?');
  const put = db.prepare(
    'INSERT INTO kept_values (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  const remove = db.prepare('DELETE FROM kept_values WHERE name = ?');
  return {
    get: (key) => {
      const row = get.get(key);
      return row === undefined ? null : String(row['value']);
    },
    put: (key, value) => {
      if (value === null) remove.run(key);
      else put.run(key, value);
    },
  };
}
