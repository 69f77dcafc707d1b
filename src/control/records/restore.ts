/**
 * A daemon whose records are gone (a lost database, a new machine beside an old repository) has its history from the
 * notes: they say what became of each commit, and so which trees had converged before.
 */
import type { Context } from '../context.ts';
import { readNoteText } from './note-text.ts';

/** So many of the newest commits are looked at. */
const COMMITS_MAX = 1000;

/** Does nothing when there are records. Resolves with how many were made. */
export async function restoreRecords(ctx: Context): Promise<number> {
  const { repository, store, notes } = ctx.ports;
  if (store.commits.list({ limit: 1 }).length > 0) return 0;
  const head = await repository.resolve(repository.watchedRef);
  if (head === null) return 0;
  const texts = new Map((await notes.list()).map(({ commit, ours }) => [commit, ours]));
  if (texts.size === 0) return 0;
  let seq = 0;
  for (const commit of (await repository.range(null, head, COMMITS_MAX)).toReversed()) {
    const verdict = readNoteText(texts.get(commit) ?? '');
    const info = verdict === null ? null : await repository.commit(commit);
    if (verdict === null || info === null) continue;
    seq += 1;
    const subject = info.message.split('\n')[0] ?? '';
    store.commits.put({ seq, revision: 1, commit, tree: info.tree, subject, ...verdict });
    store.commits.noted(commit, 1);
  }
  if (seq > 0) ctx.ports.log.info('history was read back from the notes', { commits: seq });
  return seq;
}
