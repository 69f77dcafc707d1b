/** A record as the YAML of its note: one mapping, `state` first, readable by people. Pure. */
import { stringify } from 'yaml';
import type { CommitRecord } from '../../model/commit-record.ts';

export function noteText(record: CommitRecord, daemon: string): string {
  const note = {
    state: record.state,
    at: new Date(record.at).toISOString(),
    ...(record.tookMs === null ? {} : { took_ms: record.tookMs }),
    by: record.by,
    daemon,
    ...(record.plan === null ? {} : { plan: record.plan }),
    ...(Object.keys(record.apps).length === 0 ? {} : { apps: record.apps }),
    ...(record.actions.length === 0 ? {} : { actions: record.actions }),
    ...(record.supersededBy === null ? {} : { superseded_by: record.supersededBy }),
    ...(record.reason === null ? {} : { reason: record.reason }),
    ...(record.diagnostics.length === 0 ? {} : { diagnostics: record.diagnostics }),
  };
  return stringify(note, { lineWidth: 0 });
}
