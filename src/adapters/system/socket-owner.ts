/** Tells a unix socket that somebody listens on from a file that a killed process left behind. */
import { connect } from 'node:net';

const LIMIT_MS = 2_000;

/** True when somebody accepts a connection there; one that is too busy to say so counts as there. */
export function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (listened: boolean): void => {
      socket.destroy();
      resolve(listened);
    };
    socket.setTimeout(LIMIT_MS, () => done(true));
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}
