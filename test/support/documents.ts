/** Intent documents with short times, so that checks are fast. */
import type { Doc } from './intent-repo.ts';

export function systemDoc(fields: Doc = {}): Doc {
  return { kind: 'System', ...fields };
}

/** An App that runs the test program; `source` and `port` have to be given. */
export function appDoc(name: string, fields: Doc & { readonly source: Doc; readonly port: number }): Doc {
  return {
    kind: 'App',
    name,
    start_command: 'node server.js',
    health_timeout_ms: 5000,
    drain_timeout_ms: 1500,
    ...fields,
  };
}
