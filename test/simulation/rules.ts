/** The rules that no world may break, by the name under which a break of one is reported. docs/guarantees.md lists them. */
export const RULES = {
  'slot-record':
    'The live and the previous slot are two, and each has its folder, holding the commit that the record names.',
  'promoted-without-folder': 'What is promoted is there: its folder holds the commit that is recorded.',
  'folder-in-use': 'No folder is taken away, renamed or laid over while a program runs in it.',
  'never-healthy': 'A route never leads to a process that has not answered its health check.',
  'wrong-app': 'A route never leads to a process of another app.',
  'route-to-ended': 'A route never leads to a process that the daemon itself has ended.',
  gap: 'While a process that serves goes on and its app is wanted, its route is not empty.',
  'request-cut':
    'A process is not ended with requests in flight before they finished or reached the drain limit.',
  'healthy-live-ended':
    'The daemon ends no healthy process of a live slot that intent wants, unless an operator asked; nor does a restarted one.',
  'hold-ignored': 'A version is not tried while a hold on it stands.',
  'failed-again':
    'A version that failed is not tried again without a change, also not after a restart of the daemon.',
  'suspended-work': 'Nothing is started for a suspended app.',
  'restart-too-soon': 'A process that ended is not started again before its backoff is over.',
  'flap-brake': 'More than five exits in ten minutes end the restarts.',
  'id-taken': 'No instance is started under an id that still runs.',
  'port-shared': 'No two processes are given the same port.',
  'table-version': 'The tables that the proxy is given rise in version, over all daemons.',
  'verdict-not-durable': 'A verdict is in the store before anybody hears of it.',
  'wrongly-accepted': 'The door lets no invalid intent onto the watched branch.',
  'wrongly-refused': 'The door refuses nothing that is valid and whose sources are there.',
  'unexpected-error': 'Nothing happens that the code itself calls unexpected.',
  'start-failed': 'A daemon can start on whatever its predecessor left.',
  'not-settled': 'When faults end, the world comes to rest.',
  'not-as-wanted':
    'At rest the newest valid intent is so: each good version live, healthy, complete and routed; no bad version live.',
  stray: 'At rest nothing runs but the live slots, and previous ones that are kept warm.',
  leftover: 'At rest an app has no folders but live, previous and staging; one that is gone has none.',
  'commit-open':
    'At rest every commit that the daemon saw has its verdict, and the verdict is the right one.',
  'superseded-by-stranger': 'A commit is superseded only by one that descends from it.',
  'note-differs': 'At rest the note of every commit is on the ref and equal to its record.',
} as const;

export type Rule = keyof typeof RULES;

export interface Violation {
  readonly rule: Rule;
  readonly what: string;
  /** Step of the daemon, counted over all lives. */
  readonly step: number;
}
