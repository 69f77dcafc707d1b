/** The commands, in the order of `--help`. Each file is loaded only when its command runs, which keeps starts short. */
import type { Register } from './command.ts';

export interface Entry {
  readonly name: string;
  load(): Promise<{ readonly register: Register }>;
}

export const COMMANDS: readonly Entry[] = [
  { name: 'init', load: () => import('./init.ts') },
  { name: 'serve', load: () => import('./serve.ts') },
  { name: 'demo', load: () => import('./demo/command.ts') },
  { name: 'validate', load: () => import('./validate.ts') },
  { name: 'plan', load: () => import('./plan.ts') },
  { name: 'status', load: () => import('./status.ts') },
  { name: 'wait', load: () => import('./wait.ts') },
  { name: 'history', load: () => import('./history.ts') },
  { name: 'why', load: () => import('./why.ts') },
  { name: 'deploy', load: () => import('./deploy.ts') },
  { name: 'rollback', load: () => import('./rollback.ts') },
  { name: 'suspend', load: () => import('./suspend.ts') },
  { name: 'resume', load: () => import('./resume.ts') },
  { name: 'restart', load: () => import('./restart.ts') },
  { name: 'logs', load: () => import('./logs.ts') },
  { name: 'events', load: () => import('./events.ts') },
  { name: 'token', load: () => import('./token.ts') },
  { name: 'shutdown', load: () => import('./shutdown.ts') },
  { name: 'schema', load: () => import('./schema.ts') },
  { name: 'version', load: () => import('./version.ts') },
];

/** Commands that are planned: refused by name, so that nobody looks for a typing error. */
export const LATER: readonly string[] = [
  'topology',
  'lease',
  'task',
  'agent',
  'message',
  'model',
  'pool',
  'heartbeat',
  'mode',
  'watchdog',
  'completion',
];
