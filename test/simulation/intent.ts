/** The documents of the simulated intent repository: what each app asks for, as text and back. */
import type { Intent } from '../../src/model/intent.ts';
import { compileIntent } from '../../src/intent/compile.ts';
import { oid } from '../fakes/intent-repository.ts';

export interface AppText {
  readonly name: string;
  readonly ref: string;
  readonly port: number;
  readonly replicas?: number;
  readonly warm?: boolean;
  readonly suspend?: boolean;
  readonly after?: readonly string[];
  readonly env?: string;
  readonly setup?: boolean;
  readonly onFailure?: 'restart' | 'hold' | 'replace';
}

export const SYSTEM = { path: 'mainstay.yaml', text: 'kind: System\nname: sim\n' };

export function pathOf(app: string): string {
  return `apps/${app}.yaml`;
}

/** Every app has a source repository of its own, on a server that may be away. */
export function textOf(app: AppText): string {
  return [
    'kind: App',
    `name: ${app.name}`,
    'source:',
    `  repo: ${repoOf(app.name)}`,
    `  ref: ${JSON.stringify(app.ref)}`,
    'start_command: run',
    ...(app.setup === true ? ['setup_command: set up'] : []),
    `port: ${app.port}`,
    'health_timeout_ms: 1500',
    'drain_timeout_ms: 800',
    `replicas: ${app.replicas ?? 1}`,
    `on_failure: ${app.onFailure ?? 'restart'}`,
    `keep_previous_warm: ${app.warm ?? false}`,
    `suspend: ${app.suspend ?? false}`,
    `after: [${(app.after ?? []).join(', ')}]`,
    'env:',
    `  COLOUR: ${app.env ?? 'red'}`,
    '',
  ].join('\n');
}

export function repoOf(app: string): string {
  return `https://git.example.org/${app}`;
}

/** What a commit's files come to; null when they are not valid. */
export function intentOf(commit: string, files: ReadonlyMap<string, string>): Intent | null {
  const encoder = new TextEncoder();
  const sources = [...files].map(([path, text]) => ({
    path,
    oid: oid(text),
    mode: '100644',
    content: encoder.encode(text),
  }));
  return compileIntent(commit, sources).intent;
}
