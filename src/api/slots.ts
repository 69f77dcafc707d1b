/** Deploys in slots, in the words of the first slot machine: for one app, for ?app=NAME, and under /v1/apps/{app}. */
import type { ErrorCode } from '../base/errors.ts';
import { err, failure, ok } from '../base/result.ts';
import type { Result } from '../base/result.ts';
import type { Scrubber } from '../base/scrub.ts';
import type { ControlPlane, DeployAnswer } from '../model/control-plane.ts';
import type { JournalEntry } from '../model/slot.ts';
import { answer, DEPLOYERS, failed, json, STATUS_READERS, VIEWERS } from './route.ts';
import type { Answer, ApiParts, BodySpec, Call, Route } from './route.ts';
import { flag, nameInput, object, page, ref, refInput, says } from './schema.ts';
import type { Schema } from './schema.ts';

const dryRun = says(flag, 'Only answer with the plan; change nothing.');

const deployBody: BodySpec = {
  schema: object(
    { commit: says(refInput, "A commit, tag or branch of the app's source.") },
    { dry_run: dryRun },
  ),
  required: true,
  maxBytes: 16 * 1024,
};

const rollbackBody: BodySpec = {
  schema: object({}, { dry_run: dryRun }),
  required: false,
  maxBytes: 16 * 1024,
};

const deployed: Schema = { anyOf: [ref('DeployAnswer'), ref('Plan')] };

async function deploy(call: Call, { control, scrubber }: ApiParts): Promise<Answer> {
  const app = pickApp(call, control);
  if (!app.ok) return failed(app.error);
  const commit = String(call.body['commit']);
  if (call.body['dry_run'] === true) return answer(await control.planDeploy(app.value, commit));
  return masked(await control.deploy(app.value, commit, call.caller), scrubber);
}

async function rollback(call: Call, { control, scrubber }: ApiParts): Promise<Answer> {
  const app = pickApp(call, control);
  if (!app.ok) return failed(app.error);
  if (call.body['dry_run'] === true) return answer(await control.planRollback(app.value));
  return masked(await control.rollback(app.value, call.caller), scrubber);
}

/** A refused version comes with the end of its log, and what an app prints is masked wherever it goes out. */
function masked(done: Result<DeployAnswer>, scrubber: Scrubber): Answer {
  return done.ok ? json(scrubber.value(done.value)) : failed(done.error);
}

async function status(call: Call, { control }: ApiParts): Promise<Answer> {
  const app = pickApp(call, control);
  return app.ok ? answer(await control.app(app.value)) : failed(app.error);
}

/** The app in the path or the query; else the only one there is. */
function pickApp(call: Call, control: ControlPlane): Result<string> {
  const named = call.params['app'] ?? call.query['app'];
  if (named !== undefined) return ok(String(named));
  const apps = control.apps();
  const only = apps[0];
  if (only === undefined) {
    return err(
      failure('no-apps', 'No app is deployed here yet. Push an App document to the intent repository.'),
    );
  }
  if (apps.length === 1) return ok(only);
  const names = apps.join(', ');
  return err(
    failure('app-required', `Several apps are deployed (${names}); say which one with ?app=NAME.`, {
      details: { apps },
    }),
  );
}

async function journal(call: Call, { control }: ApiParts): Promise<Answer> {
  const read = await control.journal(
    String(call.params['app']),
    Number(call.query['limit'] ?? JOURNAL_DEFAULT),
  );
  if (!read.ok) return failed(read.error);
  const items: readonly JournalEntry[] = read.value;
  return json({ items, next: null });
}

const JOURNAL_DEFAULT = 100;
const JOURNAL_MAX = 1000;

const DEPLOY_ERRORS: readonly ErrorCode[] = [
  'deploy-in-progress',
  'superseded',
  'source-unreachable',
  'checkout-failed',
  'setup-failed',
  'setup-timeout',
  'start-failed',
  'work-tree-dirty',
];

type Shape = Pick<Route, 'method' | 'id' | 'summary' | 'roles' | 'answer' | 'errors' | 'handle'> & {
  readonly body?: BodySpec;
};

const shapes: readonly (readonly [string, Shape])[] = [
  [
    'deploy',
    {
      method: 'POST',
      id: 'deploy',
      summary: 'Pin an app to a commit; answers once that version is promoted or refused',
      roles: DEPLOYERS,
      body: deployBody,
      answer: {
        status: 200,
        description: 'Promoted, or refused with success: false and the reason',
        schema: deployed,
      },
      errors: [...DEPLOY_ERRORS, 'unknown-commit', 'bad-ref'],
      handle: deploy,
    },
  ],
  [
    'rollback',
    {
      method: 'POST',
      id: 'rollback',
      summary: 'Go back to previous_commit',
      roles: DEPLOYERS,
      body: rollbackBody,
      answer: { status: 200, description: 'As for deploy', schema: deployed },
      errors: [...DEPLOY_ERRORS, 'no-previous-slot'],
      handle: rollback,
    },
  ],
  [
    'status',
    {
      method: 'GET',
      id: 'status',
      summary: 'What is live, what was before it, and whether it is healthy',
      roles: STATUS_READERS,
      answer: { status: 200, description: 'The state of the app', schema: ref('AppStatus') },
      errors: [],
      handle: status,
    },
  ],
];

export const slotRoutes: readonly Route[] = [
  ...shapes.map(([path, shape]): Route => ({
    ...shape,
    path: `/${path}`,
    query: { app: says(nameInput, 'Needed when there are several apps.') },
    errors: [...shape.errors, 'app-required', 'no-apps', 'unknown-unit'],
  })),
  ...shapes.map(([path, shape]): Route => ({
    ...shape,
    id: `${shape.id}App`,
    path: `/v1/apps/{app}/${path}`,
    params: { app: nameInput },
    errors: [...shape.errors, 'unknown-unit'],
  })),
  {
    method: 'GET',
    path: '/v1/apps',
    id: 'listApps',
    summary: 'Every app with its state',
    roles: VIEWERS,
    answer: { status: 200, description: 'All apps', schema: page(ref('AppStatus')) },
    errors: [],
    handle: async (_call, { control }) => json({ items: (await control.status()).apps, next: null }),
  },
  {
    method: 'GET',
    path: '/v1/apps/{app}/journal',
    id: 'appJournal',
    summary: 'Every attempt to change what is live, newest first',
    roles: VIEWERS,
    params: { app: nameInput },
    query: { limit: { type: 'integer', minimum: 1, maximum: JOURNAL_MAX } },
    answer: { status: 200, description: 'The newest entries', schema: page(ref('JournalEntry')) },
    errors: ['unknown-unit'],
    handle: journal,
  },
];
