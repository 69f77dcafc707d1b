/** Conformance: restarts of the daemon, environment, logs. */
import { expect } from 'vitest';
import { eventually, within } from '../support/wait.ts';
import type { Check } from './backend.ts';
import { find, LIMIT_MS, limit, readLines, untilExited, valueOf } from './expectations.ts';

export function adoptionAndLogs(check: Check): void {
  check('leaves everything running when it is closed, and adopts it', async (use) => {
    const web = use.spec('runs');
    const before = valueOf(await use.backend.apply(web, limit()));
    const next = await use.reopen();
    expect(valueOf(await next.observe())).toEqual([before]);
    expect(valueOf(await next.apply(web, limit()))).toEqual(before);
  });

  check('tells the exit of an adopted instance', async (use) => {
    const web = use.spec('exits-later');
    valueOf(await use.backend.apply(web, limit()));
    const next = await use.reopen();
    const told: string[] = [];
    next.subscribe((event) => void (event.type === 'exited' && told.push(event.instance)));
    expect(await find(next, web.id)).toMatchObject({ state: 'running' });
    await eventually('the exit is told', () => told.includes(web.id), LIMIT_MS);
    expect(await find(next, web.id)).toMatchObject({ state: 'exited' });
  });

  check('still lists what exited before a restart', async (use) => {
    const web = use.spec('exits');
    valueOf(await use.backend.apply(web, limit()));
    await untilExited(use.backend, web.id);
    const next = await use.reopen();
    expect(await find(next, web.id)).toMatchObject({ state: 'exited' });
  });

  check('ends an adopted instance', async (use) => {
    const web = use.spec('runs');
    valueOf(await use.backend.apply(web, limit()));
    const next = await use.reopen();
    expect(valueOf(await within('the removal', next.remove(web.id, 60_000), LIMIT_MS))).toBe('deleted');
    expect(valueOf(await next.observe())).toEqual([]);
    const third = await use.reopen();
    expect(valueOf(await third.observe())).toEqual([]);
  });

  check('gives exactly the environment that was asked for', async ({ backend, spec, inherited }) => {
    const web = spec('shows-environment', { env: { PORT: '4711', EMPTY: '', TEXT: 'a b=c "d" $e' } });
    valueOf(await backend.apply(web, limit()));
    await untilExited(backend, web.id);
    const wanted = { ...inherited, ...web.env, MAINSTAY_INSTANCE_ID: web.id };
    const lines = Object.entries(wanted).map(([name, value]) => `${name}=${value}`);
    expect((await readLines(backend, web.id)).toSorted()).toEqual(lines.toSorted());
  });

  check('shows the last lines of the log, or all of them', async ({ backend, spec }) => {
    const web = spec('talks');
    valueOf(await backend.apply(web, limit()));
    await readLines(backend, web.id, { follow: true }, 3);
    expect(await readLines(backend, web.id)).toEqual(['one', 'two', 'three']);
    expect(await readLines(backend, web.id, { tail: 2 })).toEqual(['two', 'three']);
    expect(await readLines(backend, web.id, { tail: 0 })).toEqual([]);
    expect(await readLines(backend, web.id, { tail: 100 })).toEqual(['one', 'two', 'three']);
  });

  check('follows the log until it is told to stop', async ({ backend, spec, say }) => {
    const web = spec('repeats');
    valueOf(await backend.apply(web, limit()));
    const stop = new AbortController();
    const heard: string[] = [];
    const following = (async () => {
      for await (const line of backend.logs(web.id, { follow: true }, stop.signal)) heard.push(line.text);
    })();
    for (const text of ['first', 'second', 'third']) {
      await say(web, text);
      await eventually(`the line ${text}`, () => heard.at(-1) === text, LIMIT_MS);
    }
    expect(heard).toEqual(['first', 'second', 'third']);
    stop.abort();
    await within('the end of following', following, LIMIT_MS);
  });

  check('ends following when the instance has ended', async ({ backend, spec }) => {
    const web = spec('talks');
    valueOf(await backend.apply(web, limit()));
    const following = readLines(backend, web.id, { follow: true });
    await readLines(backend, web.id, { follow: true }, 3);
    valueOf(await backend.remove(web.id, 5_000));
    expect(await within('the end of following', following, LIMIT_MS)).toEqual(['one', 'two', 'three']);
  });

  check('has no log for what never was', async ({ backend }) => {
    expect(await readLines(backend, 'web@slot-00000000.1', { follow: true })).toEqual([]);
  });
}
