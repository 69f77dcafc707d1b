/** All routes, in the order in which OpenAPI and docs/security.md list them. */
import { commitRoutes } from './commits.ts';
import { eventRoutes } from './events.ts';
import { gitRoutes } from './git.ts';
import type { Route } from './route.ts';
import { slotRoutes } from './slots.ts';
import { systemRoutes } from './system.ts';
import { tokenRoutes } from './tokens.ts';
import { unitRoutes } from './units.ts';

export const ROUTES: readonly Route[] = [
  ...systemRoutes,
  ...slotRoutes,
  ...commitRoutes,
  ...eventRoutes,
  ...unitRoutes,
  ...tokenRoutes,
  ...gitRoutes,
];
