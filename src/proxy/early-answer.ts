/**
 * An app may answer and close while a body is still being sent to it (413 is the usual case). Sending then fails
 * before the answer was read, and a socket stops reading as soon as it learns that: so it learns it a moment later.
 */
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

/** How long the answer may take once sending has failed. */
const ANSWER_MS = 500;

type Done = (error?: Error | null) => void;

/** From here until the request is over, a failure to send is reported late. Until then sending just stands still. */
export function awaitEarlyAnswer(upstream: ClientRequest, socket: Socket): void {
  let report: (() => void) | null = null;
  const late =
    (done: Done): Done =>
    (error) => {
      if (!(error instanceof Error)) {
        done(error);
        return;
      }
      const timer = setTimeout(() => report?.(), ANSWER_MS);
      report = () => {
        clearTimeout(timer);
        report = null;
        done(error);
      };
    };
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, done) => write(chunk, encoding, late(done));
  if (writev !== undefined) socket._writev = (chunks, done) => writev(chunks, late(done));
  upstream.once('close', () => {
    Reflect.deleteProperty(socket, '_write');
    Reflect.deleteProperty(socket, '_writev');
    report?.();
  });
}
