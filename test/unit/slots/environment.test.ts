/** Env files and secrets on a real disk: what a process gets, what is refused, and what never shows. */
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createEnvironment } from '../../../src/adapters/slots/environment.ts';
import { parseEnvFile } from '../../../src/adapters/slots/env-file.ts';
import { systemRandom } from '../../../src/adapters/system/random.ts';
import type { Environment, EnvironmentRequest } from '../../../src/ports.ts';
import { bench, place, type Bench } from './bench.ts';

function environmentIn(b: Bench): Environment {
  return createEnvironment({ dataDir: b.dataDir, random: systemRandom });
}

function request(b: Bench, more: Partial<EnvironmentRequest>): EnvironmentRequest {
  return {
    app: 'web',
    slot: 'slot-a',
    dir: join(b.app, 'slot-a'),
    envFile: null,
    env: {},
    secrets: [],
    ...more,
  };
}

test('the grammar: comments, export, quotes, escapes, several lines, no expansion', () => {
  const text = [
    '\uFEFF# comment',
    '',
    'PLAIN=one two  # note',
    'HASH=a#b',
    'EMPTY=',
    'export EXPORTED = yes',
    "SINGLE='a \\n $HOME # not a comment'  # comment",
    'DOUBLE="tab\\tand \\"quotes\\" and \\$HOME and \\q"',
    'KEY="-----BEGIN',
    'middle',
    'END-----"',
    'NOT_EXPANDED=$HOME',
    'TWICE=1',
    'TWICE=2\r',
  ].join('\n');

  expect(parseEnvFile(text)).toEqual({
    ok: true,
    value: {
      PLAIN: 'one two',
      HASH: 'a#b',
      EMPTY: '',
      EXPORTED: 'yes',
      SINGLE: 'a \\n $HOME # not a comment',
      DOUBLE: 'tab\tand "quotes" and $HOME and \\q',
      KEY: '-----BEGIN\nmiddle\nEND-----',
      NOT_EXPANDED: '$HOME',
      TWICE: '2',
    },
  });
});

test.each([
  ['A=1\nnonsense', 2],
  ['A=1\n\n2B=x', 3],
  ['# x\nA="open\nB=1', 2],
  ["A='x' y", 1],
  ['A=1\nB=\0', 2],
  ['=x', 1],
])('what is wrong in %j is said with its line', (text, line) => {
  expect(parseEnvFile(text)).toMatchObject({ ok: false, error: { line } });
});

test('declared values win over the file', async () => {
  using b = bench();
  place(join(b.app, 'slot-a/conf/app.env'), 'A=file\nB=file\n');

  const got = await environmentIn(b).resolve(request(b, { envFile: 'conf/app.env', env: { B: 'declared' } }));

  expect(got).toEqual({ ok: true, value: { A: 'file', B: 'declared' } });
});

test('an env file may be absolute or in a shared folder, and may not leave the slot otherwise', async () => {
  using b = bench();
  place(join(b.dir, 'abs.env'), 'A=abs');
  place(join(b.app, 'shared/conf/s.env'), 'A=shared');
  place(join(b.app, 'slot-a/conf'), '-> ../shared/conf');
  place(join(b.app, 'slot-a/leak.env'), `-> ${join(b.dir, 'abs.env')}`);
  place(join(b.app, 'slot-a/big.env'), `A=${'x'.repeat(300_000)}`);
  place(join(b.app, 'slot-a/bad.env'), 'A=1\nsuper-secret-value\n');
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(b.app, 'slot-a/pipe.env')]);
  const environment = environmentIn(b);

  for (const [envFile, value] of [
    [join(b.dir, 'abs.env'), 'abs'],
    ['conf/s.env', 'shared'],
  ] as const) {
    expect(await environment.resolve(request(b, { envFile }))).toEqual({ ok: true, value: { A: value } });
  }
  for (const envFile of ['leak.env', '../../../abs.env', 'big.env', 'bad.env', 'none.env', '.', 'pipe.env']) {
    const got = await environment.resolve(request(b, { envFile }));
    expect(got, envFile).toMatchObject({
      ok: false,
      error: { code: 'env-file-invalid', details: { file: envFile } },
    });
    expect(JSON.stringify(got)).not.toContain('super-secret-value');
  }
  const bad = await environment.resolve(request(b, { envFile: 'bad.env' }));
  expect(bad).toMatchObject({ error: { details: { line: 2 } } });
});

test('secrets become files that only their owner reads, found through the environment, and go when asked', async () => {
  using b = bench();
  place(join(b.dataDir, 'secrets/db'), 'hunter2');
  place(join(b.dir, 'tls.key'), 'key');
  const environment = environmentIn(b);
  const secrets = [
    { name: 'db-password', file: 'db' },
    { name: 'tls', file: join(b.dir, 'tls.key') },
  ];

  const got = await environment.resolve(request(b, { secrets }));

  const folder = join(b.dataDir, 'run/secrets/web/slot-a');
  expect(got).toEqual({
    ok: true,
    value: {
      MAINSTAY_SECRETS: folder,
      DB_PASSWORD_FILE: join(folder, 'db-password'),
      TLS_FILE: join(folder, 'tls'),
    },
  });
  expect(readFileSync(join(folder, 'db-password'), 'utf8')).toBe('hunter2');
  expect(statSync(join(folder, 'tls')).mode & 0o777).toBe(0o400);
  expect(statSync(folder).mode & 0o777).toBe(0o700);

  place(join(b.dataDir, 'secrets/db2'), 'newer');
  await environment.resolve(request(b, { secrets: [{ name: 'db-password', file: 'db2' }] }));
  expect(readdirSync(folder)).toEqual(['db-password']);
  expect(readFileSync(join(folder, 'db-password'), 'utf8')).toBe('newer');
  await environment.forget('web', 'slot-a');
  await environment.forget('web', 'slot-a');
  expect(existsSync(folder)).toBe(false);
});

test('a secret that is missing or lies outside is named, and nothing of its content is', async () => {
  using b = bench();
  place(join(b.dir, 'outside'), 'hunter2');
  place(join(b.dataDir, 'secrets/link'), `-> ${join(b.dir, 'outside')}`);

  for (const file of ['none', '../../outside', 'link', '.']) {
    const got = await environmentIn(b).resolve(request(b, { secrets: [{ name: 'db', file }] }));
    expect(got, file).toMatchObject({
      ok: false,
      error: { code: 'secret-missing', details: { secret: 'db' } },
    });
    expect(JSON.stringify(got)).not.toContain('hunter2');
  }
  rmSync(join(b.dataDir, 'secrets'), { recursive: true });
});

test('secret values are told to whoever masks them: of one line, or under a telling name in the env file', async () => {
  using b = bench();
  const told: string[] = [];
  place(join(b.dataDir, 'secrets/db'), 'correct-horse\n');
  place(join(b.dataDir, 'secrets/tls'), 'many\nlines\n');
  place(join(b.app, 'slot-a/.env'), 'NODE_ENV=production\nAPI_TOKEN=battery-staple\n');
  const environment = createEnvironment({
    dataDir: b.dataDir,
    random: systemRandom,
    onSecret: (value) => told.push(value),
  });
  const secrets = ['db', 'tls'].map((name) => ({ name, file: name }));
  expect((await environment.resolve(request(b, { secrets, envFile: '.env' }))).ok).toBe(true);
  expect(told).toEqual(['battery-staple', 'correct-horse']);
});
