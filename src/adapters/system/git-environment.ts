/** The environment in which we run stock git: none of the machine's or the user's settings, no prompts, no surprises. */
import { inherited } from '../../base/inherited.ts';

/** What every git that we start gets. Drops every `GIT_*` of our own environment; `more` is added last. */
export function gitEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    ...inherited(process.env, ['PATH', 'HOME', 'TMPDIR', 'TZ']),
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    ...more,
  };
}

/**
 * For repositories that are not ours: passes on what is needed to reach servers (keys, proxies), speaks only the
 * protocols meant for that, and reads objects as they were committed.
 */
export function sourceGitEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return gitEnvironment({
    ...inherited(process.env, REACHING),
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oConnectTimeout=10',
    ...more,
  });
}

const REACHING = [
  'SSH_AUTH_SOCK',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTPS_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
];
