/** docs/intent.md, the schemas, the codes and the example say the same. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DIAGNOSTIC_CODES } from '../../../src/intent/codes.ts';
import { compileIntent } from '../../../src/intent/compile.ts';
import { file } from './files.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const PAGE = readFileSync(join(ROOT, 'docs', 'intent.md'), 'utf8');

interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly default?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

interface Key {
  readonly required: boolean;
  readonly fallback: unknown;
  readonly supported: boolean;
}

function schemaKeys(root: Schema): Map<string, Key> {
  const keys = new Map<string, Key>();
  const walk = (schema: Schema, prefix: string): void => {
    for (const [name, raw] of Object.entries(schema.properties ?? {})) {
      const full = resolved(raw, root);
      const supported = raw.$ref !== '#/$defs/not_yet';
      keys.set(`${prefix}${name}`, {
        required: schema.required?.includes(name) ?? false,
        fallback: full.default,
        supported,
      });
      walk(full, `${prefix}${name}.`);
      if (full.items !== undefined) walk(resolved(full.items, root), `${prefix}${name}[].`);
    }
  };
  walk(root, '');
  return keys;
}

function resolved(schema: Schema, root: Schema): Schema {
  const name = schema.$ref?.replace('#/$defs/', '');
  return name === undefined ? schema : { ...root.$defs?.[name], ...schema };
}

function section(title: string): string {
  const [, text = ''] = PAGE.split(new RegExp(`^## ${title}$`, 'm'));
  return text.split(/^## /m)[0] ?? '';
}

function documented(text: string): Map<string, string> {
  const rows = text.matchAll(/^\| `([^`]+)` \|[^|]*\| ([^|]+) \|[^|]*\|$/gm);
  return new Map([...rows].map(([, key = '', fallback = '']) => [key, fallback]));
}

describe.each(['System', 'App'])('the reference of %s', (kind) => {
  const schema = JSON.parse(
    readFileSync(join(ROOT, 'schemas', `${kind.toLowerCase()}.schema.json`), 'utf8'),
  ) as Schema;
  const keys = schemaKeys(schema);
  const rows = documented(section(kind));

  test('has exactly the keys of the schema', () => {
    const supported = [...keys].filter(([, key]) => key.supported).map(([name]) => name);
    expect([...rows.keys()].toSorted()).toEqual(supported.toSorted());
  });

  test('has their defaults', () => {
    for (const [name, row] of rows) {
      const key = keys.get(name);
      if (key?.required === true) expect([name, row]).toEqual([name, 'required']);
      else if (key?.fallback === undefined) expect(row, name).toMatch(/^(none|all of them|the System's)$/);
      else
        expect([name, row]).toEqual([
          name,
          `\`${typeof key.fallback === 'string' ? key.fallback : JSON.stringify(key.fallback)}\``,
        ]);
    }
  });

  test('lists what is not supported yet', () => {
    const line = /^Not supported yet, and refused: (.*)\.$/m.exec(section(kind))?.[1] ?? '';
    const listed = line.split(', ').map((each) => each.replaceAll('`', ''));
    const unsupported = [...keys].filter(([, key]) => !key.supported).map(([name]) => name);
    expect(listed.toSorted()).toEqual(unsupported.toSorted());
  });

  test('has an example that is valid', () => {
    const example = /```yaml\n([\s\S]*?)```/.exec(section(kind))?.[1] ?? '';
    const files =
      kind === 'System'
        ? { 'mainstay.yaml': example }
        : { 'mainstay.yaml': 'kind: System\n', 'a.yaml': example };
    expect(
      compileIntent(
        'c',
        Object.entries(files).map(([path, text]) => file(path, text)),
      ).diagnostics,
    ).toEqual([]);
  });
});

describe('diagnostics', () => {
  test('the page lists every code with its meaning, and no other', () => {
    const rows = section('Diagnostics').matchAll(/^\| `([^`]+)` \| (.*) \|$/gm);
    expect(Object.fromEntries([...rows].map(([, code = '', meaning = '']) => [code, meaning]))).toEqual(
      DIAGNOSTIC_CODES,
    );
  });

  test('no code is dead', () => {
    const folder = join(ROOT, 'src', 'intent');
    const sources = readdirSync(folder).filter((name) => name !== 'codes.ts' && !name.endsWith('.gen.ts'));
    const text = sources.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
    expect(Object.keys(DIAGNOSTIC_CODES).filter((code) => !text.includes(`'${code}'`))).toEqual([]);
  });
});

describe('the example', () => {
  const folder = join(ROOT, 'intent-example');
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  );

  test('validates without a single diagnostic', () => {
    const { intent, diagnostics } = compileIntent(
      'c',
      paths.map((path) => file(relative('.', path), readFileSync(join(folder, path)))),
    );
    expect(diagnostics).toEqual([]);
    expect(intent?.apps.get('hello')).toMatchObject({
      source: { repo: '.', ref: null, path: 'hello' },
      start_command: 'node server.js',
    });
  });

  test('links each document to a schema that is there', () => {
    for (const path of paths.filter((each) => each.endsWith('.yaml'))) {
      const text = readFileSync(join(folder, path), 'utf8');
      const link = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text)?.[1] ?? '';
      const schema = JSON.parse(readFileSync(join(folder, path, '..', link), 'utf8')) as { title: string };
      expect(text).toContain(`kind: ${schema.title}`);
    }
  });
});
