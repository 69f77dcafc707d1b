/** Asks a health endpoint once. Says what came back; whether that is healthy is decided elsewhere. */
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { messageOf } from '../../base/thrown.ts';
import type { Probe, ProbeAnswer, ProbeRequest } from '../../ports.ts';

/** More of an answer's body than this is not read: the connection is closed instead. */
const BODY_MAX_BYTES = 64 * 1024;

/** Loopback only, a connection of its own each time, no redirects followed. */
export const httpProbe: Probe = {
  http: (asked, signal) =>
    new Promise<ProbeAnswer>((resolve) => {
      if (signal.aborted) return resolve({ kind: 'failed', reason: 'cancelled' });
      const sent = open(asked, resolve);
      if (sent === null) return;
      const timer = setTimeout(() => {
        resolve({ kind: 'failed', reason: `no answer within ${asked.timeoutMs} ms` });
        sent.destroy();
      }, asked.timeoutMs);
      const onAbort = (): void => {
        resolve({ kind: 'failed', reason: 'cancelled' });
        sent.destroy();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      sent.once('close', () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        resolve({ kind: 'failed', reason: 'connection closed without an answer' });
      });
    }),
};

function open(asked: ProbeRequest, answer: (value: ProbeAnswer) => void): ClientRequest | null {
  try {
    const sent = request({
      host: '127.0.0.1',
      port: asked.port,
      path: asked.path,
      method: 'GET',
      agent: false,
      headers: { connection: 'close', 'user-agent': 'mainstay-health', accept: '*/*' },
    });
    sent.once('response', (response) => {
      answer({ kind: 'answered', status: response.statusCode ?? 0 });
      drain(response);
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      answer(
        error.code === 'ECONNREFUSED'
          ? { kind: 'refused' }
          : { kind: 'failed', reason: error.code ?? error.message },
      );
    });
    sent.end();
    return sent;
  } catch (error) {
    // A path with characters that HTTP forbids is refused before anything is sent.
    answer({ kind: 'failed', reason: messageOf(error) });
    return null;
  }
}

function drain(response: IncomingMessage): void {
  let seen = 0;
  response.on('error', () => {});
  response.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    if (seen > BODY_MAX_BYTES) response.destroy();
  });
}
