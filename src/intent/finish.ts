/** A value that its schema accepted, and into which the schema's defaults are filled, to the type that the rest reads. */
import type { App as RawApp } from '../model/app.gen.ts';
import type { AlertCondition, App, System } from '../model/intent.ts';
import type { System as RawSystem } from '../model/system.gen.ts';
import type { Document } from './file.ts';
import type { Kind } from './kinds.ts';
import { normalFolder } from './folder.ts';

const ALL_CONDITIONS: readonly AlertCondition[] = [
  'deploy-failing',
  'health-timeout',
  'crash-loop',
  'unit-held',
  'disk-pressure',
];

/** The document of a validated value. */
export function finish(kind: Kind, value: unknown): Document {
  switch (kind.name) {
    case 'App':
      return { kind: 'App', value: finishApp(value as FilledApp) };
    case 'System':
      return { kind: 'System', value: finishSystem(value as FilledSystem) };
  }
}

type FilledApp = Omit<App, 'source'> & { readonly source: RawApp['source'] & { readonly path: string } };
type FilledSystem = Omit<System, 'alerts'> & { readonly alerts: NonNullable<RawSystem['alerts']> };

function finishApp(raw: FilledApp): App {
  const { repo, ref, path } = raw.source;
  return {
    ...raw,
    source: { repo, ref: ref ?? null, path: normalFolder(path) },
    path_prefix: normalPrefix(raw.path_prefix),
    shared_dirs: raw.shared_dirs.map(normalFolder),
  };
}

function finishSystem({ name, backend, guard, alerts }: FilledSystem): System {
  return {
    name,
    backend,
    guard: { max_stop: guard.max_stop },
    alerts: alerts.map(({ webhook, events }) => ({ webhook, events: events ?? ALL_CONDITIONS })),
  };
}

/** Without a slash at its end, but for the root itself; one slash where several stand. */
function normalPrefix(prefix: string): string {
  return prefix.replaceAll(/\/+/g, '/').replace(/(.)\/$/, '$1');
}
