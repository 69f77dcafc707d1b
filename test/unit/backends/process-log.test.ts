import { appendFile, mkdir, readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLineCutter } from '../../../backends/process/lines.ts';
import { createLogFolder } from '../../../backends/process/log-file.ts';
import { readLog } from '../../../backends/process/log-reader.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import { readLines, valueOf } from '../../conformance/expectations.ts';
import { eventually } from '../../support/wait.ts';
import { createFixture, never } from './process-fixture.ts';
import type { ProcessFixture } from './process-fixture.ts';

const ID = 'web@slot-0000000a.1';
// Real processes on a machine that may be busy: every wait has its own limit below this.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let fixture: ProcessFixture;
beforeEach(async () => {
  fixture = await createFixture();
});
afterEach(() => fixture.cleanup());

it('rotates a log that grows, keeps so many copies, and goes on writing', async () => {
  const backend = fixture.open({ logLimits: { maxBytes: 800, keep: 2 }, rotateMs: 20 });
  const web = fixture.spec(
    1,
    'i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo "line $i"; sleep 0.005; done; exec sleep 60',
  );
  valueOf(await backend.apply(web, never));
  const heard: string[] = [];
  for await (const line of backend.logs(web.id, { follow: true }, AbortSignal.timeout(20_000))) {
    heard.push(line.text);
    if (line.text === 'line 400') break;
  }
  // Following does not notice the rotations: nothing twice, nothing out of order.
  const numbers = heard.map((text) => Number(text.slice(5)));
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.length).toBeGreaterThan(390);
  const names = (await readdir(join(fixture.dataDir, 'apps', 'web', 'logs'))).toSorted();
  const file = 'slot-0000000a.1.log';
  expect(names).toEqual([file, `${file}.1`, `${file}.2`]);
});

it('takes missing last lines from the copy', async () => {
  const logs = createLogFolder(fixture.dataDir, { maxBytes: 10, keep: 3, files: 20 });
  await mkdir(dirname(logs.path(ID)), { recursive: true });
  await writeFile(logs.path(ID), 'one\ntwo\nthree\n');
  expect(await logs.rotate(ID)).toBe(true);
  expect(await logs.rotate(ID)).toBe(false);
  await appendFile(logs.path(ID), 'four\n');
  const source = { id: ID, folder: logs, clock: systemClock, goesOn: () => false };
  const read = async (tail?: number): Promise<string[]> => {
    const lines: string[] = [];
    for await (const line of readLog(source, tail === undefined ? {} : { tail }, never))
      lines.push(line.text);
    return lines;
  };
  expect(await read(3)).toEqual(['two', 'three', 'four']);
  expect(await read(1)).toEqual(['four']);
  expect(await read()).toEqual(['four']);
});

it('begins again when a log is cut back by somebody else', async () => {
  const backend = fixture.open();
  const web = fixture.spec(1, ['sleep', '60']);
  valueOf(await backend.apply(web, never));
  const file = join(fixture.dataDir, 'apps', 'web', 'logs', 'slot-0000000a.1.log');
  await appendFile(file, 'a long first line\n');
  const heard: string[] = [];
  const stop = new AbortController();
  const following = (async () => {
    for await (const line of backend.logs(web.id, { follow: true }, stop.signal)) heard.push(line.text);
  })();
  await eventually('the first line', () => heard.length === 1);
  await truncate(file, 0);
  await appendFile(file, 'second\n');
  await eventually('the second line', () => heard.length === 2);
  stop.abort();
  await following;
  expect(heard).toEqual(['a long first line', 'second']);
});

it('keeps the logs of the newest instances only, and those in use', async () => {
  const logs = createLogFolder(fixture.dataDir, { maxBytes: 10, keep: 1, files: 2 });
  const ids = [1, 2, 3, 4, 5].map((n) => `web@slot-0000000a.${n}`);
  await mkdir(dirname(logs.path(ID)), { recursive: true });
  for (const [i, id] of ids.entries()) {
    await writeFile(logs.path(id), 'text\n');
    await writeFile(`${logs.path(id)}.1`, 'text\n');
    await utimes(logs.path(id), 1000 + i, 1000 + i);
  }
  await logs.prune(ID, [ID]);
  const left = (await readdir(dirname(logs.path(ID)))).toSorted();
  const names = [1, 4, 5].flatMap((n) => [`slot-0000000a.${n}.log`, `slot-0000000a.${n}.log.1`]);
  expect(left).toEqual(names);
});

it('goes on writing while no daemon runs, and shows it to the next one', async () => {
  const first = fixture.open();
  const web = fixture.spec(
    1,
    'echo before; while [ ! -e go ]; do sleep 0.02; done; echo after; exec sleep 60',
  );
  valueOf(await first.apply(web, never));
  await readLines(first, web.id, { follow: true }, 1);
  await first.close();
  await writeFile(join(fixture.dataDir, 'go'), '');
  const file = join(fixture.dataDir, 'apps', 'web', 'logs', 'slot-0000000a.1.log');
  await eventually('the line is written', async () => (await readFile(file, 'utf8')).includes('after'));
  expect(await readLines(fixture.open(), web.id)).toEqual(['before', 'after']);
});

it('cuts bytes into lines of bounded length', () => {
  const cutter = createLineCutter(4);
  const bytes = (text: string): Uint8Array => Buffer.from(text);
  expect(cutter.push(bytes('ab'))).toEqual([]);
  expect(cutter.push(bytes('c\r\n\nd'))).toEqual(['abc', '']);
  expect(cutter.push(bytes('efghij'))).toEqual(['defg']);
  const smile = Buffer.from('é');
  expect(cutter.push(smile.subarray(0, 1))).toEqual([]);
  expect(cutter.push(smile.subarray(1))).toEqual([]);
  expect(cutter.end()).toBe('hijé');
  expect(cutter.end()).toBeNull();
});
