/** Requests that take longer than a swap: an upload, an event stream, a WebSocket. Each says how it failed, or null. */
import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const LIMIT_MS = 15_000;
const STEPS = 12;
const STEP_MS = 60;

export const LONG_WORK: Readonly<Record<string, (port: number) => Promise<string | null>>> = {
  upload,
  events,
  websocket,
};

/** A body in slow pieces, echoed back whole. */
function upload(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const sent = createHash('sha1');
    const back = createHash('sha1');
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      path: '/echo',
      method: 'POST',
      timeout: LIMIT_MS,
    });
    request.on('error', (error) => resolve(`upload: ${error.message}`));
    request.on('response', (response) => {
      response.on('data', (chunk: Buffer) => back.update(chunk));
      response.on('error', (error) => resolve(`upload: answer: ${error.message}`));
      response.on('end', () =>
        resolve(sent.digest('hex') === back.digest('hex') ? null : 'upload: not the same came back'),
      );
    });
    void (async () => {
      for (let n = 0; n < STEPS; n++) {
        const piece = randomBytes(16_384);
        sent.update(piece);
        request.write(piece);
        await delay(STEP_MS);
      }
      request.end();
    })();
  });
}

/** Events until the client has seen enough: none missing between. */
function events(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    let next = 1;
    const read = (response: IncomingMessage): void => {
      response.on('error', (error) => resolve(`events: ${error.message}`));
      response.on('end', () => resolve('events: ended by the server'));
      response.setEncoding('utf8').on('data', (text: string) => {
        for (const [, id] of text.matchAll(/^id: (\d+)$/gm)) {
          if (Number(id) !== next++) resolve(`events: ${id} came in place of ${next - 1}`);
        }
        if (next <= STEPS) return;
        resolve(null);
        request.destroy();
      });
    };
    const request = httpRequest(
      { host: '127.0.0.1', port, path: '/sse', agent: false, timeout: LIMIT_MS },
      read,
    );
    request.on('error', (error) => resolve(`events: ${error.message}`));
    request.end();
  });
}

/** Messages back and forth on one connection, each answered by the same version. */
function websocket(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    let version = '';
    let count = 0;
    socket.addEventListener('open', () => socket.send('0'));
    socket.addEventListener('message', ({ data }) => {
      const [from = '', text] = String(data).split(':');
      version ||= from;
      if (from !== version || text !== String(count))
        resolve(`websocket: ${String(data)} in place of ${version}:${count}`);
      count += 1;
      if (count < STEPS) return void setTimeout(() => socket.send(String(count)), STEP_MS);
      resolve(null);
      socket.close();
    });
    socket.addEventListener('close', () => resolve(`websocket: closed after ${count} messages`));
    socket.addEventListener('error', () => resolve(`websocket: error after ${count} messages`));
  });
}
