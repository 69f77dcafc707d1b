import { expect, it } from 'vitest';
import { commandArguments } from '../../../src/model/command.ts';

it('hands a list on as it is', () => {
  expect(commandArguments(['node', 'a b.js', '&&'])).toEqual(['node', 'a b.js', '&&']);
});

it.each(['node server.js', './run "a b" $PORT', 'python3 -m http.server'])(
  'replaces the shell for %s',
  (text) => {
    expect(commandArguments(` ${text} `)).toEqual(['sh', '-c', `exec ${text}`]);
  },
);

it.each([
  'a && b',
  'A=1 node x',
  'cd sub; node x',
  'exec node x',
  'a | b',
  'a > file &',
  'if a; then b; fi',
  ': nothing',
  '',
])('leaves %j to the shell', (text) => {
  expect(commandArguments(text)).toEqual(['sh', '-c', text]);
});
