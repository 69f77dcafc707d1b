import { describe, expect, test } from 'vitest';
import { leadsTo, makeListeners, publicUrl, type RoutedApp } from '../../../src/plan/routes.ts';
import { appOf } from '../../properties/worlds.ts';
import { run } from './world.ts';

const HOST = '127.0.0.1';
const routed = (more: Partial<RoutedApp> = {}): RoutedApp => ({
  app: appOf('web', { port: 80 }),
  live: [run('slot-1', 2), run('slot-1', 1)],
  internal: new Set(),
  ...more,
});

describe('makeListeners', () => {
  test('one listener a port; all processes of the live slot are one generation', () => {
    const [listener, ...others] = makeListeners([routed()], HOST);

    expect(others).toEqual([]);
    expect(listener).toMatchObject({ host: HOST, port: 80 });
    expect(listener?.routes).toEqual([
      {
        app: 'web',
        hosts: [],
        pathPrefix: '/',
        generation: {
          id: 'web#web@slot-1.1:5+web@slot-1.2:5',
          targets: [
            { host: HOST, port: 20_001 },
            { host: HOST, port: 20_002 },
          ],
        },
      },
    ]);
  });

  test('nothing healthy: the port is listened on and leads nowhere', () => {
    expect(makeListeners([routed({ live: [] })], HOST)[0]?.routes[0]?.generation).toBeNull();
  });

  test('a process that was started anew under its id is another generation', () => {
    const [before] = makeListeners([routed({ live: [run('slot-1')] })], HOST);
    const [after] = makeListeners([routed({ live: [run('slot-1', 1, { startedAt: 6 })] })], HOST);

    expect(after?.routes[0]?.generation?.id).not.toBe(before?.routes[0]?.generation?.id);
  });

  test('apps share a port, in the order of their names whatever the order given', () => {
    const two = [routed(), routed({ app: appOf('api', { port: 80, hosts: ['api.example'] }) })];

    expect(makeListeners(two, HOST)).toEqual(makeListeners([...two].reverse(), HOST));
    expect(makeListeners(two, HOST)[0]?.routes.map((route) => route.app)).toEqual(['api', 'web']);
  });

  test('the internal port is on loopback, and leads to PORT where nothing listens on INTERNAL_PORT', () => {
    const app = appOf('web', { port: 80, internal_port: 81 });
    const live = [run('slot-1', 1, { internalPort: 21_001 }), run('slot-1', 2, { internalPort: 21_002 })];
    const listeners = makeListeners([routed({ app, live, internal: new Set(['web@slot-1.1']) })], '0.0.0.0');

    expect(listeners.map(({ host, port }) => `${host}:${port}`)).toEqual(['0.0.0.0:80', '127.0.0.1:81']);
    expect(listeners[1]?.routes[0]?.generation?.targets.map(({ port }) => port)).toEqual([21_001, 20_002]);
  });
});

describe('leadsTo', () => {
  const generation = makeListeners([routed()], HOST)[0]?.routes[0]?.generation?.id ?? '';

  test.each([
    [{ id: 'web@slot-1.1', startedAt: 5 }, true],
    [{ id: 'web@slot-1.2', startedAt: 5 }, true],
    [{ id: 'web@slot-1.1', startedAt: 6 }, false],
    [{ id: 'web@slot-1.12', startedAt: 5 }, false],
    [{ id: 'web@slot-2.1', startedAt: 5 }, false],
  ])('%j: %s', (instance, leads) => expect(leadsTo(generation, instance)).toBe(leads));
});

describe('publicUrl', () => {
  test.each([
    [appOf('web', { port: 80 }), '127.0.0.1', 'http://127.0.0.1:80/'],
    [appOf('web', { port: 80 }), '0.0.0.0', 'http://127.0.0.1:80/'],
    [appOf('web', { port: 80, hosts: ['a.example'] }), '0.0.0.0', 'http://a.example:80/'],
    [appOf('web', { port: 80, path_prefix: '/x' }), '10.0.0.1', 'http://10.0.0.1:80/x'],
  ])('%#', (app, host, url) => expect(publicUrl(app, host)).toBe(url));
});
