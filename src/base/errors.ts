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

/** Something has to change first: the request, intent, the source, or the machine. */
const final = (status: number | null, meaning: string): ErrorMeaning => ({
  status,
  retriable: false,
  meaning,
});

/** The same request may succeed later. */
const again = (status: number | null, meaning: string): ErrorMeaning => ({
  status,
  retriable: true,
  meaning,
});

const table = {
  // What the API says of a request
  'token-required': final(401, 'The request carries no token.'),
  'token-invalid': final(401, 'No such token is known here.'),
  'token-expired': final(401, 'The token was valid until a time that has passed.'),
  'token-revoked': final(401, 'The token was revoked.'),
  forbidden: final(403, "The token's role does not allow this."),
  'wrong-host': final(421, 'The Host header names a host that this listener does not serve.'),
  'unknown-route': final(404, 'No route has this path.'),
  'method-not-allowed': final(405, 'The path exists, with the methods in the Allow header.'),
  'body-too-large': final(413, 'The body is larger than the route takes.'),
  'body-timeout': again(408, 'The body did not arrive in time.'),
  'invalid-json': final(400, 'The body is not JSON.'),
  'invalid-request': final(
    400,
    'A field of the path, the query or the body is not as the route expects it; details.field names it.',
  ),
  'too-many-streams': again(503, 'As many streams and long waits are open as the daemon allows.'),
  starting: again(503, 'The daemon is not ready yet.'),
  internal: final(500, 'A bug: the log has the cause under the same correlation id.'),
  'unknown-token': final(404, 'No live token has this name.'),
  'token-exists': final(409, 'A live token has this name already.'),
  // Commits, apps and units
  'app-required': final(400, 'Several apps are deployed and the request names none.'),
  'no-apps': final(404, 'No app is deployed yet.'),
  'unknown-unit': final(404, 'Intent has no app or unit of this name, or nothing of it runs.'),
  'unknown-commit': final(400, 'A ref in the request names no commit of the repository it is meant for.'),
  'commit-not-found': final(404, 'The intent repository has no such commit.'),
  'not-on-branch': final(
    404,
    'The commit exists but is not on the branch that is followed, so nothing is done for it.',
  ),
  'intent-invalid': final(422, 'The documents of that commit are not valid; details.diagnostics lists why.'),
  'bad-ref': final(400, 'This cannot be the ref of an app.'),
  'app-not-in-file': final(409, 'The document of the app is not where it was a moment ago.'),
  'edit-refused': final(
    409,
    'The document is laid out so that one field of it cannot be changed alone; edit it by hand.',
  ),
  'path-invalid': final(400, 'Git does not take this path.'),
  'ref-moved': again(409, 'The branch moved meanwhile.'),
  'work-tree-dirty': final(409, 'Uncommitted edits in the work tree are in the way of a commit.'),
  'work-tree-locked': again(409, 'Another git command holds the work tree.'),
  // Deploying
  'deploy-in-progress': again(409, 'A deploy of that app is in progress.'),
  superseded: final(409, 'A newer commit took its place before it was done.'),
  'no-previous-slot': final(400, 'There is no previous slot to go back to.'),
  'source-unreachable': again(500, "The app's source repository cannot be read."),
  'source-path-missing': final(500, "The app's folder is not in its source at that commit."),
  'checkout-failed': final(500, 'The commit cannot be checked out.'),
  'slot-in-use': final(500, 'The slot that was to be laid anew is live or previous.'),
  'slot-drifted': again(
    500,
    'The files of a slot were changed or removed since it was deployed; the version is laid anew.',
  ),
  'slot-submodule': final(500, 'The source holds a submodule, which is not fetched.'),
  'slot-lfs-pointer': final(500, 'The source holds Git LFS pointers instead of the files.'),
  'slot-unsafe-symlink': final(500, 'The source holds a symlink that leads out of the slot.'),
  'shared-dir-invalid': final(500, 'A shared folder cannot be linked into the slot.'),
  'env-file-invalid': final(500, 'The env_file cannot be read or is not of its form.'),
  'secret-missing': final(500, 'The file of a secret cannot be read.'),
  'setup-failed': final(500, 'setup_command ended with an error; details.log_tail has its last output.'),
  'setup-timeout': final(500, 'setup_command did not end in time.'),
  'start-failed': final(500, 'The command of the app cannot be started.'),
  'exited-early': final(500, 'The process ended before it was healthy.'),
  'health-timeout': final(500, 'The process was not healthy in time.'),
  'backend-unavailable': again(503, 'The backend does not answer, so nothing is known of what it runs.'),
  'stop-failed': again(500, 'A process cannot be ended.'),
  aborted: again(503, 'The work was called off before it was done, as when the daemon ends.'),
  // Why a unit is left as it is (also in status, plan and why)
  'port-unavailable': again(500, 'The public port of the app cannot be listened on.'),
  'backing-off': again(503, 'It ended and is started again after a pause that grows.'),
  'crash-loop': final(
    409,
    'It kept ending; restarts are stopped until intent changes or somebody restarts it.',
  ),
  'held-on-failure': final(409, 'It ended, and on_failure is hold.'),
  // Proxy
  'proxy-unreachable': again(503, 'The proxy process does not answer.'),
  'proxy-connection-lost': again(503, 'The proxy process ended before it answered.'),
  'proxy-timeout': again(503, 'The proxy did not answer in time.'),
  'proxy-ending': again(503, 'The proxy is being stopped.'),
  'proxy-failed': again(500, 'The proxy could not do what it was asked.'),
  'proxy-call-aborted': again(503, 'The wait for the proxy was called off.'),
  'proxy-call-unknown': final(500, 'The proxy is older than the daemon and does not know the call.'),
  'proxy-table-invalid': final(500, 'The table has a shape that the proxy does not know.'),
  'generation-in-use': final(500, 'A generation was to be drained that still serves a route.'),
  // Notes and alerts
  'note-write-failed': again(500, 'Notes could not be written; they are kept and tried again.'),
  'note-conflict': again(500, 'Another writer was at the notes at the same time.'),
  'note-too-large': final(500, "The note holds more of others' text than is kept."),
  'webhook-failed': again(500, 'An alert was not taken by its webhook.'),
  // Starting the daemon
  'listen-refused': final(null, 'Listening beyond loopback needs access that somebody set up on purpose.'),
  'listen-failed': final(null, 'The address cannot be listened on.'),
  'operator-token-unusable': final(null, 'DATA/operator.token cannot be read, written or used.'),
  'data-in-use': final(null, 'Another daemon holds this data folder.'),
  'hook-socket-busy': final(null, 'Another daemon answers the hooks of this data folder.'),
  'hook-socket-failed': final(null, 'The socket for the hooks cannot be listened on.'),
  'store-corrupt': final(null, 'The database in the data folder is damaged.'),
  'store-newer': final(null, 'A newer Mainstay wrote the database.'),
  'store-unavailable': final(null, 'The database cannot be opened: permissions, disk or path.'),
  'git-missing': final(null, 'There is no git in PATH.'),
  'git-too-old': final(null, 'The git in PATH is too old.'),
  'repository-missing': final(null, 'There is no repository at that path.'),
  'repository-unreadable': final(null, 'Git cannot open or create the repository.'),
  'repository-unsupported': final(null, 'The repository is of a kind that Mainstay does not follow.'),
  'branch-name-invalid': final(null, 'Git accepts no branch of that name.'),
  'not-supported-yet': final(null, 'This version does not have it yet.'),
  // The command line
  usage: final(null, 'The command was called in a way that it does not know.'),
  'not-empty': final(null, 'The folder for a new repository holds something already.'),
  unreachable: again(null, 'No daemon answers at that URL.'),
  'still-running': again(null, 'The daemon has not ended in the time given.'),
  'git-failed': final(null, 'Git could not make the repository.'),
  'demo-failed': final(null, 'The demo did not come out as it should.'),
} satisfies Readonly<Record<string, ErrorMeaning>>;

export type ErrorCode = keyof typeof table;

export const ERRORS: Readonly<Record<ErrorCode, ErrorMeaning>> = table;

/** The meaning of a code for an answer; one without a status, or not in the table (a bug), counts as `internal`. */
export function meaningOf(code: string): ErrorMeaning & { readonly status: number } {
  const meaning = Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : ERRORS.internal;
  return { ...meaning, status: meaning.status ?? 500 };
}
