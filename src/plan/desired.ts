/** What one intent wants running, with every source resolved to a commit: the planner's first input. */
import type { Failure } from '../base/result.ts';
import { digestOf } from '../base/sha256.ts';
import type { App, System } from '../model/intent.ts';
import type { SourceVersion } from '../model/source.ts';

export interface DesiredApp {
  readonly name: string;
  readonly app: App;
  /** Null when the source could not be resolved; then `failure` says why. */
  readonly version: SourceVersion | null;
  readonly failure: Failure | null;
  /** Names everything whose change needs a new slot. Empty when the version is unknown. */
  readonly digest: string;
}

export interface Desired {
  /** Intent commit. */
  readonly commit: string;
  readonly system: System;
  readonly apps: ReadonlyMap<string, DesiredApp>;
}

/** One app with its resolved version. */
export function desiredApp(app: App, version: SourceVersion | null, failure: Failure | null): DesiredApp {
  return { name: app.name, app, version, failure, digest: version === null ? '' : slotDigest(app, version) };
}

/**
 * Everything that makes a running process what it is, and how it shows that it is healthy: a new answer to that is
 * tried like a new version, beside the live one, and gives a version that failed another chance. Routing, draining and
 * policy are left out: they change without a new slot. The intent repository as source counts by tree, so that a commit
 * elsewhere in it does not redeploy.
 */
export function slotDigest(app: App, version: SourceVersion): string {
  return digestOf({
    source:
      app.source.repo === '.'
        ? { tree: version.tree }
        : { repo: app.source.repo, commit: version.commit, path: app.source.path },
    start: app.start_command,
    setup: app.setup_command,
    internal: app.internal_port !== undefined,
    health: { endpoint: app.health_endpoint, timeout_ms: app.health_timeout_ms },
    env: app.env,
    env_file: app.env_file,
    secrets: app.secrets,
    shared_dirs: app.shared_dirs,
    replicas: app.replicas,
  }).slice(0, 32);
}
