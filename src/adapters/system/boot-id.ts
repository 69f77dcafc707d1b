/** Which start of the machine this is. Decides nothing. */
import { readFileSync } from 'node:fs';

/** Differs after each reboot; always `boot` where the system has no such id. Not a disk access. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'boot';
  }
}
