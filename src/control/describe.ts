/** An action in words. Pure. */
import { short } from '../model/ids.ts';
import type { Action } from '../model/plan.ts';

const FROM = { new: '', previous: ' from the kept slot', warm: ' from the warm slot' } as const;

export function describeAction(action: Action): string {
  switch (action.do) {
    case 'start':
      return `start ${short(action.to)} (${action.because})`;
    case 'swap':
      return `swap ${short(action.from)} for ${short(action.to)}${FROM[action.via]} (${action.because})`;
    case 'restart':
      return `restart in ${action.slot} (${action.because})`;
    case 'stop':
    case 'cancel':
    case 'prune':
      return `${action.do} (${action.because})`;
  }
}
