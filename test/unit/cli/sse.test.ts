import { expect, test } from 'vitest';
import { readSse } from '../../../src/cli/sse.ts';

async function read(...chunks: readonly string[]) {
  const stream = (async function* () {
    for (const chunk of chunks) yield new TextEncoder().encode(chunk);
  })();
  const messages = [];
  for await (const message of readSse(stream)) messages.push(message);
  return messages;
}

test('messages come whole, however the bytes are cut', async () => {
  const text = ': hello\n\nid: 1\nevent: a\ndata: one\ndata: more\n\nretry: 5\n\ndata: two\n\n';
  const whole = [
    { id: '1', event: 'a', data: 'one\nmore' },
    { id: null, event: 'message', data: 'two' },
  ];
  expect(await read(text)).toEqual(whole);
  expect(await read(...text.split(''))).toEqual(whole);
  expect(await read(text.replaceAll('\n', '\r\n'))).toEqual(whole);
});

test('an unfinished message is dropped, an endless one is an error', async () => {
  expect(await read('data: x')).toEqual([]);
  await expect(read('x'.repeat(2 * 1024 * 1024))).rejects.toThrow('1 MiB');
});
