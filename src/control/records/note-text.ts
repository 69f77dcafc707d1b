/** A record as the YAML of its note: one mapping, `state` first, readable by people; and back. Pure. */
import { parse, stringify } from 'yaml';
import { TERMINAL, type CommitRecord } from '../../model/commit-record.ts';

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

/** What a note says of its commit, as far as it goes; null for a text that is no verdict. */
export type NotedVerdict = Omit<CommitRecord, 'seq' | 'revision' | 'commit' | 'tree' | 'subject'>;

export function readNoteText(text: string): NotedVerdict | null {
  const note = mapping(text);
  const state = TERMINAL.find((one) => one === note['state']);
  const at = Date.parse(String(note['at']));
  if (state === undefined || Number.isNaN(at)) return null;
  const tookMs = typeof note['took_ms'] === 'number' ? note['took_ms'] : null;
  return {
    state,
    at,
    seenAt: at - (tookMs ?? 0),
    tookMs,
    by: textOr(note['by'], ''),
    plan: isMapping(note['plan']) ? (note['plan'] as unknown as CommitRecord['plan']) : null,
    apps: isMapping(note['apps']) ? (note['apps'] as CommitRecord['apps']) : {},
    actions: Array.isArray(note['actions']) ? (note['actions'] as CommitRecord['actions']) : [],
    reason: textOr(note['reason'], null),
    diagnostics: Array.isArray(note['diagnostics']) ? note['diagnostics'].map(String) : [],
    supersededBy: textOr(note['superseded_by'], null),
    everConverged: state === 'converged',
  };
}

function mapping(text: string): Readonly<Record<string, unknown>> {
  try {
    const note: unknown = parse(text);
    return isMapping(note) ? note : {};
  } catch {
    return {};
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOr<T>(value: unknown, otherwise: T): string | T {
  return typeof value === 'string' ? value : otherwise;
}
