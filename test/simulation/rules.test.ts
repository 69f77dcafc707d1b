import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RULES } from './rules.ts';

test('docs/guarantees.md lists exactly the rules that are checked', () => {
  const text = readFileSync(new URL('../../docs/guarantees.md', import.meta.url), 'utf8');
  const section = text.slice(text.indexOf('## Rules of the simulator'), text.indexOf('## Not promised'));
  const listed = [...section.matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].map((match) => [match[1], match[2]]);

  expect(listed).toEqual(Object.entries(RULES));
});
