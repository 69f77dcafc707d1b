/** All benches, in the order in which they run. */
import type { Bench } from './figures.ts';
import { changedDocument } from './changed-document.ts';
import { coldStart } from './cold-start.ts';
import { commandStart } from './command-start.ts';
import { firstPush } from './first-push.ts';
import { idle } from './idle.ts';
import { nothingToDo } from './nothing-to-do.ts';
import { pushToTraffic } from './push-to-traffic.ts';
import { refusedPush } from './refused-push.ts';
import { swaps } from './swaps.ts';
import { warmRevert } from './warm-revert.ts';

export const BENCHES: readonly Bench[] = [
  pushToTraffic,
  refusedPush,
  changedDocument,
  nothingToDo,
  coldStart,
  warmRevert,
  swaps,
  idle,
  commandStart,
  firstPush,
];
