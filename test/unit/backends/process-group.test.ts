import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { codeOf, readLines, untilExited, valueOf } from '../../conformance/expectations.ts';
import { eventually } from '../../support/wait.ts';
import { createFixture, end, never, processes } from './process-fixture.ts';
import type { ProcessFixture } from './process-fixture.ts';

// Real processes on a machine that may be busy: every wait has its own limit below this.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let fixture: ProcessFixture;
beforeEach(async () => {
  fixture = await createFixture();
});
afterEach(() => fixture.cleanup());

const owned = async (): Promise<number> => (await fixture.owned()).length;

it('ends a whole tree of processes', async () => {
  const backend = fixture.open();
  const web = fixture.spec(1, 'sh -c "sleep 60 & sleep 61" & sleep 62 & wait');
  valueOf(await backend.apply(web, never));
  await eventually('the tree is complete', async () => (await owned()) === 5);
  expect(valueOf(await backend.remove(web.id, 5_000))).toBe('deleted');
  expect(await owned()).toBe(0);
});

it('ends a tree that ignores SIGTERM at the limit', async () => {
  const backend = fixture.open();
  const stubborn = 'trap "" TERM; while :; do sleep 0.05; done';
  const web = fixture.spec(1, `(${stubborn}) & (${stubborn}) & echo ready; ${stubborn}`);
  valueOf(await backend.apply(web, never));
  await readLines(backend, web.id, { follow: true }, 1);
  const began = performance.now();
  expect(valueOf(await backend.remove(web.id, 300))).toBe('deleted');
  const took = performance.now() - began;
  expect(await owned()).toBe(0);
  expect(took).toBeGreaterThan(290);
  expect(took).toBeLessThan(300 + 600);
});

it('waits for members that take their time within the limit, after the leader has ended', async () => {
  const backend = fixture.open();
  const drain = 'trap "sleep 1.3; echo drained; exit" TERM; echo ready; while :; do sleep 0.02; done';
  const web = fixture.spec(1, `(${drain}) & sleep 60`);
  valueOf(await backend.apply(web, never));
  await readLines(backend, web.id, { follow: true }, 1);
  expect(valueOf(await backend.remove(web.id, 10_000))).toBe('deleted');
  expect(await readLines(backend, web.id)).toContain('drained');
});

it('ends what is left of the group when the leader exits by itself', async () => {
  const backend = fixture.open();
  const web = fixture.spec(1, 'sleep 60 & sleep 61 & sleep 0.2; exit 5');
  valueOf(await backend.apply(web, never));
  expect((await untilExited(backend, web.id)).exit).toMatchObject({ code: 5 });
  await eventually('the rest is gone', async () => (await owned()) === 0);
});

it('ends a child that left the group', async () => {
  const backend = fixture.open();
  const web = fixture.spec(1, 'setsid sleep 60 & sleep 61');
  const { handle } = valueOf(await backend.apply(web, never));
  await eventually('it has left', async () =>
    (await fixture.owned()).some((one) => String(one.group) !== handle),
  );
  expect(valueOf(await backend.remove(web.id, 5_000))).toBe('deleted');
  expect(await owned()).toBe(0);
});

it('starts a program that ends at once only once for calls at the same time', async () => {
  const slow = {
    ...processes,
    // The program has ended before its start has been written down.
    readProcess: async (pid: number) => {
      await eventually('its end', async () => (await processes.readProcess(pid)) === null);
      return null;
    },
  };
  const backend = fixture.open({ processes: slow });
  const web = fixture.spec(1, ['sh', '-c', 'echo started; exit 3']);
  const all = await Promise.all([1, 2, 3].map(() => backend.apply(web, never)));
  expect(new Set(all.map((one) => valueOf(one).handle)).size).toBe(1);
  await untilExited(backend, web.id);
  expect(await readLines(backend, web.id)).toEqual(['started']);
});

it('is told by which signal an instance ended', async () => {
  const backend = fixture.open();
  const web = fixture.spec(1, 'sleep 60');
  const { handle } = valueOf(await backend.apply(web, never));
  await end(Number(handle));
  expect((await untilExited(backend, web.id)).exit).toMatchObject({ code: null, signal: 'SIGKILL' });
  expect(await processes.readProcess(Number(handle))).toBeNull();
});

it('puts the program itself at the head of the group for a plain command', async () => {
  const backend = fixture.open();
  const plain = fixture.spec(1, 'sleep 60');
  const compound = fixture.spec(2, 'A=1; export A; cd /tmp && echo "$A $PWD" && sleep 60');
  valueOf(await backend.apply(plain, never));
  valueOf(await backend.apply(compound, never));
  expect(await readLines(backend, compound.id, { follow: true }, 1)).toEqual(['1 /tmp']);
  // One process for the plain one; the shell and its child for the other.
  await eventually('all three run', async () => (await owned()) === 3);
});

it('refuses what cannot be started, each with its reason', async () => {
  const backend = fixture.open();
  const gone = await backend.apply(fixture.spec(1, 'sleep 60', { dir: `${fixture.dataDir}/nowhere` }), never);
  const empty = await backend.apply(fixture.spec(2, []), never);
  const nul = await backend.apply(fixture.spec(3, ['sleep', '60'], { env: { A: 'x\0y' } }), never);
  for (const result of [gone, empty, nul]) expect(codeOf(result)).toBe('start-failed');
  expect(gone.ok ? '' : gone.error.message).toContain('nowhere is not there');
  expect(JSON.stringify(nul)).not.toContain('x\\u0000y');
  expect(await owned()).toBe(0);
});

it('runs fifty instances, adopts and ends them', async () => {
  const first = fixture.open();
  const specs = Array.from({ length: 50 }, (_, i) => fixture.spec(i + 1, ['sleep', '60']));
  const started = await Promise.all(specs.map((one) => first.apply(one, never)));
  const handles = started.map((one) => valueOf(one).handle);
  expect(new Set(handles).size).toBe(50);
  await first.close();
  const next = fixture.open();
  const told: string[] = [];
  next.subscribe((event) => void (event.type === 'exited' && told.push(event.instance)));
  expect(valueOf(await next.observe()).filter((one) => one.state === 'running')).toHaveLength(50);
  for (const handle of handles.slice(0, 10)) await end(Number(handle));
  await eventually('ten exits are told', () => told.length === 10);
  const removed = await Promise.all(specs.map((one) => next.remove(one.id, 5_000)));
  expect(new Set(removed.map(valueOf))).toEqual(new Set(['deleted']));
  expect(await owned()).toBe(0);
});
