import { describe, expect, test } from 'vitest';
import { defaultData, readConfig } from '../../src/config.ts';
import type { ServeFlags } from '../../src/config.ts';

const ENV = { HOME: '/home/ada' };

function read(flags: ServeFlags) {
  const config = readConfig(flags, ENV, '/work');
  if (!config.ok) throw new Error(config.error.message);
  return config.value;
}

describe('readConfig', () => {
  test('needs nothing', () => {
    expect(read({})).toEqual({
      intent: '/home/ada/.local/share/mainstay/intent.git',
      remote: false,
      branch: 'main',
      data: '/home/ada/.local/share/mainstay',
      listen: { host: '127.0.0.1', port: 7070 },
      nats: 'embedded',
      publicHost: '127.0.0.1',
      drainOnExit: false,
      pollMs: 15_000,
    });
  });

  test('is frozen, and paths are absolute', () => {
    const config = read({ data: 'd', intent: '../i' });
    expect(config).toMatchObject({ data: '/work/d', intent: '/i' });
    expect(Object.isFrozen(config) && Object.isFrozen(config.listen)).toBe(true);
  });

  test('a URL is followed', () => {
    expect(read({ intent: 'https://example.org/i.git' })).toMatchObject({
      remote: true,
      intent: 'https://example.org/i.git',
    });
    expect(read({ intent: 'git@example.org:i.git' }).remote).toBe(true);
  });

  test.each([
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    [':9000', { host: '127.0.0.1', port: 9000 }],
  ])('--listen %s', (listen, expected) => expect(read({ listen }).listen).toEqual(expected));

  test.each<ServeFlags>([
    { listen: '7070' },
    { listen: 'a:b' },
    { listen: '127.0.0.1:70000' },
    { nats: 'yes' },
    { branch: '-x' },
    { branch: 'a..b' },
    { poll: '5' },
    { poll: '1ms' },
  ])('%j is wrong usage and names the flag', (flags) => {
    const config = readConfig(flags, ENV, '/work');
    expect(config.ok ? null : config.error).toMatchObject({
      code: 'usage',
      message: expect.stringContaining(Object.keys(flags)[0]!) as string,
    });
  });

  test('the data folder follows XDG_DATA_HOME when it is absolute', () => {
    expect(defaultData({ ...ENV, XDG_DATA_HOME: '/x' })).toBe('/x/mainstay');
    expect(defaultData({ ...ENV, XDG_DATA_HOME: 'x' })).toBe('/home/ada/.local/share/mainstay');
  });
});
