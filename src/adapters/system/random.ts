/** The machine's randomness. `hex` is fit for names that nobody may guess, `next` only for spreading load. */
import { randomBytes } from 'node:crypto';
import type { Random } from '../../ports.ts';

/** Cryptographic hex, ordinary uniform numbers. */
export const systemRandom: Random = {
  next: () => Math.random(),
  hex: (bytes) => randomBytes(bytes).toString('hex'),
};
