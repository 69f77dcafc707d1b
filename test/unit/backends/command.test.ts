import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { commandArguments } from '../../../src/model/command.ts';

it('hands a list on as it is', () => {
  expect(commandArguments(['node', 'a b.js', '&&'])).toEqual(['node', 'a b.js', '&&']);
});

it.each([
  'node server.js',
  './run "a; b" \'c && d\' "say \\"e;\\"" $PORT ${PORT}',
  'python3 -m http.server',
  'node server.js >> app.log 2>&1',
])('lets the program take the place of the shell for %j', (text) => {
  expect(commandArguments(` ${text} `)).toEqual(['/bin/sh', '-c', `exec ${text}`]);
});

it.each([
  'a && b',
  'A=1 node x',
  'cd sub; node x',
  'exec node x',
  'a "x" | b',
  'a > file &',
  'if a; then b; fi',
  '{ a\n}',
  ': nothing',
  '"open',
  '',
])('leaves %j to the shell as it is', (text) => {
  const arguments_ = commandArguments(text);
  expect(arguments_.at(-1)).toBe(text === '"open' ? 'exec "open' : text);
});

it.each([
  ['echo one && echo two', 'one\ntwo\n'],
  ['A=1 sh -c \'echo "$A"\'', '1\n'],
  ['cd / && pwd', '/\n'],
  ['echo "a;  b" $((1 + 2))', 'a;  b 3\n'],
  ['echo out 2>&1', 'out\n'],
])('works as it reads: %j', (text, output) => {
  const [program, ...rest] = commandArguments(text);
  expect(execFileSync(program as string, rest, { encoding: 'utf8' })).toBe(output);
});
