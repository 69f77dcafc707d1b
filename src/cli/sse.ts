/** Server-sent events, read from a byte stream. Pure parsing; the caller opens and ends the stream. */

export interface SseMessage {
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

const MAX_MESSAGE_CHARS = 1024 * 1024;

/** Yields each message; comments (heartbeats) are skipped, an unfinished last message is dropped. */
export async function* readSse(stream: AsyncIterable<Uint8Array>): AsyncGenerator<SseMessage> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    rest = (rest + decoder.decode(chunk, { stream: true })).replaceAll('\r\n', '\n');
    if (rest.length > MAX_MESSAGE_CHARS)
      throw new Error('a message of the event stream is larger than 1 MiB');
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const message = parseBlock(block);
      if (message !== null) yield message;
    }
  }
}

function parseBlock(block: string): SseMessage | null {
  let id: string | null = null;
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'id') id = value;
    else if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
  }
  return data.length === 0 ? null : { id, event, data: data.join('\n') };
}
