/** Whose name stands on what Mainstay writes to git. */

/** Who commits when Mainstay writes: the author stays the person who asked. */
export const COMMITTER = { name: 'Mainstay', mail: 'mainstay@localhost' } as const;

/** The environment that makes a commit's author and committer. */
export function identity(
  author: { readonly name: string; readonly mail: string },
  date: string,
): Record<string, string> {
  return {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.mail,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: COMMITTER.name,
    GIT_COMMITTER_EMAIL: COMMITTER.mail,
    GIT_COMMITTER_DATE: date,
  };
}
