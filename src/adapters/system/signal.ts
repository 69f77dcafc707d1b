/** Sends signals. To whom is the caller's decision. */

/** To a process, or to a group when `pid` is negative. One that is gone or not ours to signal is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already (ESRCH), or it changed its user (EPERM): whoever waits for its end sees that it is still there.
  }
}
