/** The durable tables as plain data. A daemon that has died goes on with a copy that nobody will ever read. */
import { TERMINAL, type CommitRecord } from '../../src/model/commit-record.ts';
import type { Hold } from '../../src/model/hold.ts';
import type { Store } from '../../src/ports.ts';
import type { Life } from '../simulation/life.ts';

export interface Tables {
  readonly commits: Map<string, CommitRecord>;
  /** By commit: the revision whose note is on the ref. */
  readonly noted: Map<string, number>;
  readonly holds: Map<string, Hold>;
  readonly values: Map<string, string>;
}

export function createTables(): Tables {
  return { commits: new Map(), noted: new Map(), holds: new Map(), values: new Map() };
}

/** One daemon's view of them. Every write is a step that the daemon may die before. */
export function openTables(durable: Tables, life: Life): Store {
  let tables = durable;
  life.onDeath(() => {
    tables = {
      commits: new Map(durable.commits),
      noted: new Map(durable.noted),
      holds: new Map(durable.holds),
      values: new Map(durable.values),
    };
  });
  const write = (what: string): Tables => {
    life.mark(`store.${what}`);
    return tables;
  };
  const bySeq = (): CommitRecord[] => [...tables.commits.values()].sort((a, b) => a.seq - b.seq);
  const unnoted = (): CommitRecord[] =>
    bySeq().filter((record) => tables.noted.get(record.commit) !== record.revision);
  return {
    commits: {
      get: (commit) => tables.commits.get(commit) ?? null,
      put: (record) => void write(`commits.put ${record.state}`).commits.set(record.commit, record),
      list: ({ limit, before, app }) =>
        bySeq()
          .reverse()
          .filter((record) => before === undefined || record.seq < before)
          .filter((record) => app === undefined || record.apps[app] !== undefined)
          .slice(0, limit),
      unfinished: () => bySeq().filter(({ state }) => !TERMINAL.includes(state)),
      unnoted: (limit) => unnoted().slice(0, limit),
      noted: (commit, revision) => {
        const { commits, noted } = write('commits.noted');
        if (commits.get(commit)?.revision === revision) noted.set(commit, revision);
      },
      treeConverged: (tree) =>
        [...tables.commits.values()].some((record) => record.tree === tree && record.everConverged),
      unnotedCount: () => unnoted().length,
    },
    holds: {
      all: () => [...tables.holds.values()],
      put: (hold) => void write(`holds.put ${hold.kind}`).holds.set(`${hold.unit} ${hold.kind}`, hold),
      delete: (unit, kind) => {
        if (tables.holds.has(`${unit} ${kind}`))
          write(`holds.delete ${kind}`).holds.delete(`${unit} ${kind}`);
      },
    },
    values: {
      get: (key) => tables.values.get(key) ?? null,
      put: (key, value) => {
        const { values } = write(`values.put ${key}`);
        if (value === null) values.delete(key);
        else values.set(key, value);
      },
    },
    close: () => undefined,
  };
}
