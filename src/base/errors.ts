/**
 * The one table of failure codes: what a code means, the HTTP status it goes out with, and whether the same request
 * may succeed later by itself. docs/errors.md is kept equal to it, and so are the codes in the source, by tests.
 */

export interface ErrorMeaning {
  /** Null: never an answer of the API. */
  readonly status: number | null;
  readonly retriable: boolean;
  readonly meaning: string;
}

const table = {
  // What the API says of a request
  'token-required': { status: 401, retriable: false, meaning: 'The request carries no token.' },
  'token-invalid': { status: 401, retriable: false, meaning: 'No such token is known here.' },
  'token-expired': {
    status: 401,
    retriable: false,
    meaning: 'The token was valid until a time that has passed.',
  },
  'token-revoked': { status: 401, retriable: false, meaning: 'The token was revoked.' },
  forbidden: { status: 403, retriable: false, meaning: "The token's role does not allow this." },
  'wrong-host': {
    status: 421,
    retriable: false,
    meaning: 'The Host header names a host that this listener does not serve.',
  },
  'unknown-route': { status: 404, retriable: false, meaning: 'No route has this path.' },
  'method-not-allowed': {
    status: 405,
    retriable: false,
    meaning: 'The path exists, with the methods in the Allow header.',
  },
  'body-too-large': { status: 413, retriable: false, meaning: 'The body is larger than the route takes.' },
  'body-timeout': { status: 408, retriable: true, meaning: 'The body did not arrive in time.' },
  'invalid-json': { status: 400, retriable: false, meaning: 'The body is not JSON.' },
  'invalid-request': {
    status: 400,
    retriable: false,
    meaning:
      'A field of the path, the query or the body is not as the route expects it; details.field names it.',
  },
  'too-many-streams': {
    status: 503,
    retriable: true,
    meaning: 'As many streams and long waits are open as the daemon allows.',
  },
  starting: { status: 503, retriable: true, meaning: 'The daemon is not ready yet.' },
  internal: {
    status: 500,
    retriable: false,
    meaning: 'A bug: the log has the cause under the same correlation id.',
  },
  'unknown-token': { status: 404, retriable: false, meaning: 'No live token has this name.' },
  'token-exists': { status: 409, retriable: false, meaning: 'A live token has this name already.' },
  // Commits, apps and units
  'app-required': {
    status: 400,
    retriable: false,
    meaning: 'Several apps are deployed and the request names none.',
  },
  'no-apps': { status: 404, retriable: false, meaning: 'No app is deployed yet.' },
  'unknown-unit': {
    status: 404,
    retriable: false,
    meaning: 'Intent has no app or unit of this name, or nothing of it runs.',
  },
  'unknown-commit': {
    status: 400,
    retriable: false,
    meaning: 'A ref in the request names no commit of the repository it is meant for.',
  },
  'commit-not-found': { status: 404, retriable: false, meaning: 'The intent repository has no such commit.' },
  'not-on-branch': {
    status: 404,
    retriable: false,
    meaning: 'The commit exists but is not on the branch that is followed, so nothing is done for it.',
  },
  'intent-invalid': {
    status: 422,
    retriable: false,
    meaning: 'The documents of that commit are not valid; details.diagnostics lists why.',
  },
  'bad-ref': { status: 400, retriable: false, meaning: 'This cannot be the ref of an app.' },
  'app-not-in-file': {
    status: 409,
    retriable: false,
    meaning: 'The document of the app is not where it was a moment ago.',
  },
  'edit-refused': {
    status: 409,
    retriable: false,
    meaning: 'The document is laid out so that one field of it cannot be changed alone; edit it by hand.',
  },
  'path-invalid': { status: 400, retriable: false, meaning: 'Git does not take this path.' },
  'ref-moved': { status: 409, retriable: true, meaning: 'The branch moved meanwhile.' },
  'work-tree-dirty': {
    status: 409,
    retriable: false,
    meaning: 'Uncommitted edits in the work tree are in the way of a commit.',
  },
  'work-tree-locked': { status: 409, retriable: true, meaning: 'Another git command holds the work tree.' },
  // Deploying
  'deploy-in-progress': { status: 409, retriable: true, meaning: 'A deploy of that app is in progress.' },
  superseded: { status: 409, retriable: false, meaning: 'A newer commit took its place before it was done.' },
  'no-previous-slot': { status: 400, retriable: false, meaning: 'There is no previous slot to go back to.' },
  'source-unreachable': {
    status: 500,
    retriable: true,
    meaning: "The app's source repository cannot be read.",
  },
  'source-path-missing': {
    status: 500,
    retriable: false,
    meaning: "The app's folder is not in its source at that commit.",
  },
  'checkout-failed': { status: 500, retriable: false, meaning: 'The commit cannot be checked out.' },
  'slot-in-use': {
    status: 500,
    retriable: false,
    meaning: 'The slot that was to be laid anew is live or previous.',
  },
  'slot-submodule': {
    status: 500,
    retriable: false,
    meaning: 'The source holds a submodule, which is not fetched.',
  },
  'slot-lfs-pointer': {
    status: 500,
    retriable: false,
    meaning: 'The source holds Git LFS pointers instead of the files.',
  },
  'slot-unsafe-symlink': {
    status: 500,
    retriable: false,
    meaning: 'The source holds a symlink that leads out of the slot.',
  },
  'shared-dir-invalid': {
    status: 500,
    retriable: false,
    meaning: 'A shared folder cannot be linked into the slot.',
  },
  'env-file-invalid': {
    status: 500,
    retriable: false,
    meaning: 'The env_file cannot be read or is not of its form.',
  },
  'secret-missing': { status: 500, retriable: false, meaning: 'The file of a secret cannot be read.' },
  'setup-failed': {
    status: 500,
    retriable: false,
    meaning: 'setup_command ended with an error; details.log_tail has its last output.',
  },
  'setup-timeout': { status: 500, retriable: false, meaning: 'setup_command did not end in time.' },
  'start-failed': { status: 500, retriable: false, meaning: 'The command of the app cannot be started.' },
  'exited-early': { status: 500, retriable: false, meaning: 'The process ended before it was healthy.' },
  'health-timeout': { status: 500, retriable: false, meaning: 'The process was not healthy in time.' },
  'backend-unavailable': {
    status: 503,
    retriable: true,
    meaning: 'The backend does not answer, so nothing is known of what it runs.',
  },
  'stop-failed': { status: 500, retriable: true, meaning: 'A process cannot be ended.' },
  aborted: {
    status: 503,
    retriable: true,
    meaning: 'The work was called off before it was done, as when the daemon ends.',
  },
  // Why a unit is left as it is (also in status, plan and why)
  'port-unavailable': {
    status: 500,
    retriable: true,
    meaning: 'The public port of the app cannot be listened on.',
  },
  'backing-off': {
    status: 503,
    retriable: true,
    meaning: 'It ended and is started again after a pause that grows.',
  },
  'crash-loop': {
    status: 409,
    retriable: false,
    meaning: 'It kept ending; restarts are stopped until intent changes or somebody restarts it.',
  },
  'held-on-failure': { status: 409, retriable: false, meaning: 'It ended, and on_failure is hold.' },
  // Proxy
  'proxy-unreachable': { status: 503, retriable: true, meaning: 'The proxy process does not answer.' },
  'proxy-connection-lost': {
    status: 503,
    retriable: true,
    meaning: 'The proxy process ended before it answered.',
  },
  'proxy-timeout': { status: 503, retriable: true, meaning: 'The proxy did not answer in time.' },
  'proxy-ending': { status: 503, retriable: true, meaning: 'The proxy is being stopped.' },
  'proxy-failed': { status: 500, retriable: true, meaning: 'The proxy could not do what it was asked.' },
  'proxy-call-aborted': { status: 503, retriable: true, meaning: 'The wait for the proxy was called off.' },
  'proxy-call-unknown': {
    status: 500,
    retriable: false,
    meaning: 'The proxy is older than the daemon and does not know the call.',
  },
  'proxy-table-invalid': {
    status: 500,
    retriable: false,
    meaning: 'The table has a shape that the proxy does not know.',
  },
  'generation-in-use': {
    status: 500,
    retriable: false,
    meaning: 'A generation was to be drained that still serves a route.',
  },
  // Notes and alerts
  'note-write-failed': {
    status: 500,
    retriable: true,
    meaning: 'Notes could not be written; they are kept and tried again.',
  },
  'note-conflict': {
    status: 500,
    retriable: true,
    meaning: 'Another writer was at the notes at the same time.',
  },
  'note-too-large': {
    status: 500,
    retriable: false,
    meaning: "The note holds more of others' text than is kept.",
  },
  'webhook-failed': { status: 500, retriable: true, meaning: 'An alert was not taken by its webhook.' },
  // Starting the daemon
  'listen-refused': {
    status: null,
    retriable: false,
    meaning: 'Listening beyond loopback needs access that somebody set up on purpose.',
  },
  'listen-failed': { status: null, retriable: false, meaning: 'The address cannot be listened on.' },
  'operator-token-unusable': {
    status: null,
    retriable: false,
    meaning: 'DATA/operator.token cannot be read, written or used.',
  },
  'data-in-use': { status: null, retriable: false, meaning: 'Another daemon holds this data folder.' },
  'hook-socket-busy': {
    status: null,
    retriable: false,
    meaning: 'Another daemon answers the hooks of this data folder.',
  },
  'hook-socket-failed': {
    status: null,
    retriable: false,
    meaning: 'The socket for the hooks cannot be listened on.',
  },
  'store-corrupt': { status: null, retriable: false, meaning: 'The database in the data folder is damaged.' },
  'store-newer': { status: null, retriable: false, meaning: 'A newer Mainstay wrote the database.' },
  'store-unavailable': {
    status: null,
    retriable: false,
    meaning: 'The database cannot be opened: permissions, disk or path.',
  },
  'git-missing': { status: null, retriable: false, meaning: 'There is no git in PATH.' },
  'git-too-old': { status: null, retriable: false, meaning: 'The git in PATH is too old.' },
  'repository-missing': { status: null, retriable: false, meaning: 'There is no repository at that path.' },
  'repository-unreadable': {
    status: null,
    retriable: false,
    meaning: 'Git cannot open or create the repository.',
  },
  'repository-unsupported': {
    status: null,
    retriable: false,
    meaning: 'The repository is of a kind that Mainstay does not follow.',
  },
  'branch-name-invalid': { status: null, retriable: false, meaning: 'Git accepts no branch of that name.' },
  'not-supported-yet': { status: null, retriable: false, meaning: 'This version does not have it yet.' },
  // The command line
  usage: {
    status: null,
    retriable: false,
    meaning: 'The command was called in a way that it does not know.',
  },
  'not-empty': {
    status: null,
    retriable: false,
    meaning: 'The folder for a new repository holds something already.',
  },
  unreachable: { status: null, retriable: true, meaning: 'No daemon answers at that URL.' },
  'still-running': { status: null, retriable: true, meaning: 'The daemon has not ended in the time given.' },
  'git-failed': { status: null, retriable: false, meaning: 'Git could not make the repository.' },
  'demo-failed': { status: null, retriable: false, meaning: 'The demo did not come out as it should.' },
} as const satisfies Readonly<Record<string, ErrorMeaning>>;

export type ErrorCode = keyof typeof table;

export const ERRORS: Readonly<Record<ErrorCode, ErrorMeaning>> = table;

/** The meaning of a code for an answer; one without a status, or not in the table (a bug), counts as `internal`. */
export function meaningOf(code: string): ErrorMeaning & { readonly status: number } {
  const meaning = Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : ERRORS.internal;
  return { ...meaning, status: meaning.status ?? 500 };
}
