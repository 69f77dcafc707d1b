/**
 * The doors of git's smart HTTP: who may come in. What happens behind them is the git host's. Nothing is spawned
 * before the token and its role have been checked. The dumb protocol has no routes here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DEPLOYERS, VIEWERS } from './route.ts';
import type { Answer, ApiParts, Call, Route } from './route.ts';
import { oneOf } from './schema.ts';

/** Serves the intent repository to an authenticated caller; ends the response itself, also when something fails. */
export interface GitHost {
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    call: {
      /** What follows the repository's URL: `/info/refs`, `/git-upload-pack`, `/git-receive-pack`. */
      readonly path: string;
      /** Name of the token. */
      readonly by: string;
    },
  ): Promise<void>;
}

function to(path: '/info/refs' | '/git-upload-pack' | '/git-receive-pack') {
  return async (call: Call, parts: ApiParts): Promise<Answer> => {
    await parts.git.handle(call.raw.request, call.raw.response, { path, by: call.caller.name });
    return { kind: 'taken' };
  };
}

export const gitRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/intent.git/info/refs',
    id: 'gitRefs',
    summary: 'Refs of the intent repository, for git fetch and git push',
    roles: VIEWERS,
    rolesWhen: { query: 'service', equals: 'git-receive-pack', roles: DEPLOYERS },
    credentials: 'basic',
    query: { service: oneOf('git-upload-pack', 'git-receive-pack') },
    answer: {
      status: 200,
      description: "Git's ref advertisement",
      schema: null,
      types: ['application/x-git-upload-pack-advertisement'],
    },
    errors: [],
    handle: to('/info/refs'),
  },
  {
    method: 'POST',
    path: '/intent.git/git-upload-pack',
    id: 'gitFetch',
    summary: 'git fetch and git clone',
    roles: VIEWERS,
    credentials: 'basic',
    answer: {
      status: 200,
      description: "Git's pack",
      schema: null,
      types: ['application/x-git-upload-pack-result'],
    },
    errors: [],
    handle: to('/git-upload-pack'),
  },
  {
    method: 'POST',
    path: '/intent.git/git-receive-pack',
    id: 'gitPush',
    summary: 'git push: validated before the ref moves, then streams progress until the verdict',
    roles: DEPLOYERS,
    credentials: 'basic',
    answer: {
      status: 200,
      description: "Git's report",
      schema: null,
      types: ['application/x-git-receive-pack-result'],
    },
    errors: [],
    handle: to('/git-receive-pack'),
  },
];
