/** What may stand in `source.repo` and `source.ref`: nothing that git would take for an option, a program or a secret. */

const PATH = /^\//;
const URL_FORM = /^(https?|ssh|git|file):\/\/(?:([^/@]*)@)?([^/@]*)(\/.*)?$/;
const SCP_FORM = /^[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9[][^:/@\s]*:(?!-)\S+$/;

/** Why this cannot be a repository; null when it can. */
export function badRepo(repo: string): string | null {
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1F\x7F]/.test(repo)) return 'it holds a control character';
  if (repo.startsWith('-')) return 'it must not begin with a hyphen';
  if (repo === '.' || PATH.test(repo)) return null;
  if (/^[^/]*::/.test(repo)) return 'a transport that runs a program (such as ext::) is not allowed';
  const url = URL_FORM.exec(repo);
  if (url !== null) return badUrl(url);
  if (repo.includes('://')) return 'use https://, http://, ssh://, git:// or file://';
  if (SCP_FORM.test(repo)) return null;
  return 'write `.` (this repository), an absolute path, a URL, or user@host:path';
}

function badUrl([, scheme, user, host = '', path = '']: RegExpExecArray): string | null {
  if (/\s/.test(host + path)) return 'a URL holds no spaces: write %20';
  if (scheme === 'file')
    return host === '' && path !== ''
      ? null
      : 'write file:// and an absolute path, as in file:///srv/repo.git';
  if (host === '' || host.startsWith('-')) return 'its host name is missing or begins with a hyphen';
  if (user === undefined) return null;
  if (user.startsWith('-')) return 'its user name begins with a hyphen';
  const secret = user.includes(':') || scheme === 'http' || scheme === 'https';
  return secret
    ? 'a URL in git must not hold credentials: remove them and set up a git credential helper'
    : null;
}

/** Why this cannot name a commit, tag or branch; null when it can. Git's own rules for names, and nothing relative. */
export function badRef(ref: string): string | null {
  if (ref.startsWith('-')) return 'it must not begin with a hyphen';
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x20\x7F]/.test(ref)) return 'it holds a space or a control character';
  if (ref.includes('..')) return 'it must not hold two dots in a row: name one commit, tag or branch';
  if (/[~^:?*[\\]|@\{/.test(ref)) return 'it must be a plain name, without ~ ^ : ? * [ \\ or @{';
  if (ref === '@') return 'write HEAD instead of @';
  const parts = ref.split('/');
  if (
    parts.some((part) => part === '' || part.startsWith('.') || part.endsWith('.lock')) ||
    ref.endsWith('.')
  ) {
    return 'no part of it may be empty, begin with a dot, or end with .lock or a dot';
  }
  return null;
}
