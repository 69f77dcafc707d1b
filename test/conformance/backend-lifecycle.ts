/** Conformance: starting, replacing, ending. */
import { expect } from 'vitest';
import { eventually, within } from '../support/wait.ts';
import type { Check } from './backend.ts';
import { codeOf, find, LIMIT_MS, limit, readLines, untilExited, valueOf } from './expectations.ts';

/** How late a forced end may be on a busy machine. The product's own figure (200 ms) is measured elsewhere. */
const LATE_MS = 600;

export function applyAndRemove(check: Check): void {
  check('starts what is asked for and observes it', async ({ backend, spec }) => {
    const web = spec('runs');
    const started = valueOf(await backend.apply(web, limit()));
    expect(started).toMatchObject({ id: web.id, app: web.app, slot: web.slot, digest: web.digest });
    expect(started).toMatchObject({ commit: web.commit, port: web.port, internalPort: null });
    expect(started).toMatchObject({ state: 'running', exit: null });
    expect(await find(backend, web.id)).toEqual(started);
  });

  check('lists everything of this owner', async ({ backend, spec }) => {
    const all = [spec('runs'), spec('runs'), spec('exits')];
    for (const one of all) valueOf(await backend.apply(one, limit()));
    const seen = valueOf(await backend.observe()).map((one) => one.id);
    expect(seen.toSorted()).toEqual(all.map((one) => one.id).toSorted());
  });

  check('starts the same spec once', async ({ backend, spec }) => {
    const web = spec('runs');
    const first = valueOf(await backend.apply(web, limit()));
    expect(valueOf(await backend.apply(web, limit()))).toEqual(first);
  });

  check('starts one instance for calls at the same time', async ({ backend, spec }) => {
    for (const web of [spec('runs'), spec('exits')]) {
      const all = await Promise.all(Array.from({ length: 10 }, () => backend.apply(web, limit())));
      expect(new Set(all.map((one) => valueOf(one).handle)).size).toBe(1);
    }
    expect(valueOf(await backend.observe())).toHaveLength(2);
  });

  check('replaces an instance whose digest differs', async ({ backend, spec }) => {
    const web = spec('runs');
    const first = valueOf(await backend.apply(web, limit()));
    const second = valueOf(await backend.apply({ ...web, digest: 'another' }, limit()));
    expect(second.handle).not.toBe(first.handle);
    expect(valueOf(await backend.observe())).toEqual([second]);
  });

  check('tells an exit at once and lists it until it is removed', async ({ backend, spec }) => {
    const web = spec('exits-later');
    const told: string[] = [];
    backend.subscribe((event) => void (event.type === 'exited' && told.push(event.instance)));
    valueOf(await backend.apply(web, limit()));
    await eventually('the exit is told', () => told.includes(web.id), LIMIT_MS);
    expect(told).toEqual([web.id]);
    expect(await find(backend, web.id)).toMatchObject({ state: 'exited', exit: { code: 4, signal: null } });
    expect(valueOf(await backend.remove(web.id, 0))).toBe('deleted');
    expect(await find(backend, web.id)).toBeUndefined();
  });

  check('tells nothing to a listener that has left', async ({ backend, spec }) => {
    const web = spec('exits-later');
    const told: string[] = [];
    const leave = backend.subscribe((event) => void told.push(event.type));
    valueOf(await backend.apply(web, limit()));
    leave();
    await untilExited(backend, web.id);
    expect(told).toEqual([]);
  });

  check('starts an exited instance anew', async ({ backend, spec }) => {
    const web = spec('exits');
    const first = valueOf(await backend.apply(web, limit()));
    await untilExited(backend, web.id);
    const second = valueOf(await backend.apply(web, limit()));
    expect(second.handle).not.toBe(first.handle);
    expect(valueOf(await backend.observe())).toHaveLength(1);
  });

  check('ends an instance by SIGTERM long before the limit', async ({ backend, spec }) => {
    const web = spec('runs');
    valueOf(await backend.apply(web, limit()));
    expect(valueOf(await within('the removal', backend.remove(web.id, 60_000), LIMIT_MS))).toBe('deleted');
    expect(await find(backend, web.id)).toBeUndefined();
  });

  check('ends by force at the limit, and not before', async ({ backend, spec }) => {
    const web = spec('ignores-sigterm');
    valueOf(await backend.apply(web, limit()));
    await readLines(backend, web.id, { follow: true }, 1);
    const began = performance.now();
    expect(valueOf(await backend.remove(web.id, 400))).toBe('deleted');
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(390);
    expect(took).toBeLessThan(400 + LATE_MS);
    expect(await find(backend, web.id)).toBeUndefined();
  });

  check('ends at once without a limit to wait for', async ({ backend, spec }) => {
    const web = spec('ignores-sigterm');
    valueOf(await backend.apply(web, limit()));
    await readLines(backend, web.id, { follow: true }, 1);
    const began = performance.now();
    expect(valueOf(await backend.remove(web.id, 0))).toBe('deleted');
    expect(performance.now() - began).toBeLessThan(LATE_MS);
  });

  check('lets a later removal shorten the limit of an earlier one', async ({ backend, spec }) => {
    const web = spec('ignores-sigterm');
    valueOf(await backend.apply(web, limit()));
    await readLines(backend, web.id, { follow: true }, 1);
    const patient = backend.remove(web.id, 60_000);
    await readLines(backend, web.id, { tail: 1 });
    const hurried = backend.remove(web.id, 0);
    const both = await within('both removals', Promise.all([patient, hurried]), LIMIT_MS);
    expect(both.map(valueOf)).toContain('deleted');
    expect(await find(backend, web.id)).toBeUndefined();
  });

  check('takes the removal of what is absent as done', async ({ backend, spec }) => {
    expect(valueOf(await backend.remove('web@slot-00000000.1', 1000))).toBe('absent');
    const web = spec('runs');
    valueOf(await backend.apply(web, limit()));
    const both = await Promise.all([backend.remove(web.id, 1000), backend.remove(web.id, 1000)]);
    expect(both.map(valueOf)).toContain('deleted');
    expect(valueOf(await backend.remove(web.id, 1000))).toBe('absent');
  });

  check('leaves nothing when it is removed while it starts', async ({ backend, spec }) => {
    const web = spec('runs');
    const start = backend.apply(web, limit());
    const removal = backend.remove(web.id, 1000);
    const [, removed] = await within('both', Promise.all([start, removal]), LIMIT_MS);
    expect(removed.ok).toBe(true);
    expect(valueOf(await backend.observe())).toEqual([]);
  });

  check('starts nothing for a call that is aborted', async ({ backend, spec }) => {
    const web = spec('runs');
    expect(codeOf(await backend.apply(web, AbortSignal.abort()))).toBe('aborted');
    expect(valueOf(await backend.observe())).toEqual([]);
    expect(codeOf(await backend.apply(web, limit()))).toBe('ok');
  });

  check('says why a start failed, with the end of the log', async ({ backend, spec }) => {
    const web = spec('cannot-start');
    const result = await backend.apply(web, limit());
    expect(codeOf(result)).toBe('start-failed');
    if (result.ok) return;
    expect(result.error.message).toContain(web.app);
    expect(result.error.details?.['log_tail']).toEqual([expect.stringContaining(web.app)]);
    expect(await find(backend, web.id)).toBeUndefined();
  });
}
