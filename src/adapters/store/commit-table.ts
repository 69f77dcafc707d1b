/** Commit records: the body as JSON, beside it the columns that are asked for. */
import type { DatabaseSync } from 'node:sqlite';
import { TERMINAL, type CommitRecord } from '../../model/commit-record.ts';
import type { CommitTable } from '../../ports.ts';

/** More than this in one answer is a mistake of the caller's. */
const LIST_MAX = 1000;

export function openCommitTable(db: DatabaseSync): CommitTable {
  const get = db.prepare('SELECT body FROM commits WHERE hash = ?');
  const put = db.prepare(
    `INSERT INTO commits (hash, seq, revision, tree, ever_converged, noted, finished, body)
     VALUES (?, ?, ?, ?, ?, 0, ?, ?)
     ON CONFLICT (hash) DO UPDATE SET seq = excluded.seq, revision = excluded.revision, tree = excluded.tree,
       ever_converged = max(ever_converged, excluded.ever_converged), noted = 0, finished = excluded.finished,
       body = excluded.body`,
  );
  const list = db.prepare('SELECT body FROM commits WHERE seq < ? ORDER BY seq DESC LIMIT ?');
  const listApp = db.prepare(
    `SELECT body FROM commits WHERE seq < ? AND EXISTS (SELECT 1 FROM json_each(body, '$.apps') WHERE key = ?)
     ORDER BY seq DESC LIMIT ?`,
  );
  const unfinished = db.prepare('SELECT body FROM commits WHERE finished = 0 ORDER BY seq');
  const unnoted = db.prepare('SELECT body FROM commits WHERE noted = 0 ORDER BY seq LIMIT ?');
  const noted = db.prepare('UPDATE commits SET noted = 1 WHERE hash = ? AND revision = ?');
  const converged = db.prepare('SELECT 1 FROM commits WHERE tree = ? AND ever_converged = 1 LIMIT 1');
  const count = db.prepare('SELECT count(*) AS n FROM commits WHERE noted = 0');

  return {
    get: (commit) => {
      const row = get.get(commit);
      return row === undefined ? null : record(row);
    },
    put: (value) => {
      const { commit, seq, revision, tree } = value;
      const converged = value.everConverged ? 1 : 0;
      const finished = TERMINAL.includes(value.state) ? 1 : 0;
      put.run(commit, seq, revision, tree, converged, finished, JSON.stringify(value));
    },
    list: ({ limit, before, app }) => {
      const below = before ?? Number.MAX_SAFE_INTEGER;
      const most = Math.min(limit, LIST_MAX);
      return (app === undefined ? list.all(below, most) : listApp.all(below, app, most)).map(record);
    },
    unfinished: () => unfinished.all().map(record),
    unnoted: (limit) => unnoted.all(Math.min(limit, LIST_MAX)).map(record),
    noted: (commit, revision) => {
      noted.run(commit, revision);
    },
    treeConverged: (tree) => converged.get(tree) !== undefined,
    unnotedCount: () => Number(count.get()?.['n']),
  };
}

/** The database is ours alone and checked at opening: its JSON is what `put` wrote. */
function record(row: Record<string, unknown>): CommitRecord {
  return JSON.parse(String(row['body'])) as CommitRecord;
}
