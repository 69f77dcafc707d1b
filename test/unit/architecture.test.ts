/**
 * The arrows of docs/architecture.md as data. Reads every import under src and backends: a wrong one fails with the
 * reason, and so does a checker that saw too few files to mean anything.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

interface Room {
  /** Rooms that this one may import, besides itself; type imports count as well. */
  readonly may: readonly string[];
  /** May it import `node:` modules and packages? */
  readonly world: boolean;
  readonly because: string;
}

const PURE = ['base', 'model', 'ports'];

const ROOMS: Readonly<Record<string, Room>> = {
  base: { may: [], world: false, because: 'base knows no domain word and no one else' },
  model: { may: ['base', 'ports'], world: false, because: 'the nouns stand alone' },
  ports: { may: ['base', 'model'], world: false, because: 'ports name side effects, they have none' },
  intent: {
    may: ['base', 'model'],
    world: false,
    because: 'text to Intent is pure: I/O comes in as arguments',
  },
  plan: {
    may: ['base', 'model'],
    world: false,
    because: 'the planner is a pure function of what it is given',
  },
  control: {
    may: [...PURE, 'intent', 'plan'],
    world: false,
    because: 'the loop sees the world through ports alone',
  },
  proxy: {
    may: [...PURE, 'adapters/system'],
    world: true,
    because: 'the data plane is a process of its own and decides nothing; it stands on system',
  },
  backends: { may: PURE, world: true, because: 'what backends share knows none of them' },
  'backends/*': {
    may: [...PURE, 'backends', 'adapters/system'],
    world: true,
    because: 'a backend obeys; it stands on system, calls back into nothing, and knows no sibling',
  },
  'backends/registry': {
    may: [...PURE, 'backends', 'backends/*'],
    world: true,
    because: 'the registry names the backends and no one else',
  },
  'adapters/system': {
    may: PURE,
    world: true,
    because: 'the floor of all that touches the machine: processes, files, time',
  },
  'adapters/*': {
    may: [...PURE, 'adapters/system'],
    world: true,
    because: 'adapters are thin; they stand on system and never know each other or control',
  },
  api: {
    may: [...PURE, 'intent'],
    world: true,
    because: 'the API adds transport to ControlPlane and decides nothing',
  },
  config: { may: ['base'], world: true, because: 'settings depend on nothing that uses them' },
  cli: {
    may: [...PURE, 'intent', 'config', 'daemon'],
    world: true,
    because: 'commands speak to the daemon over HTTP; only serve starts one',
  },
  daemon: { may: ['*'], world: true, because: 'wiring only' },
  main: { may: ['cli', 'config', 'daemon'], world: true, because: 'argv, exit codes and signals' },
};

/** Packages that pure rooms may use: they compute, they do not act. */
const PURE_PACKAGES: Readonly<Record<string, readonly string[]>> = { intent: ['yaml'], control: ['yaml'] };

const IMPURE =
  /\basync\b|\bawait\b|\bnew Promise\b|Promise\.|\bDate\.now\b|new Date\(\)|\bset(?:Timeout|Interval|Immediate)\(|Math\.random|\bcrypto\b/;
const SYNCHRONOUS = ['base', 'model', 'intent', 'plan'];

const FILES = ['src', 'backends'].flatMap((root) => sources(root));

describe('architecture', () => {
  test('sees the whole code base', () => {
    expect(FILES.length).toBeGreaterThan(40);
    expect(new Set(FILES.map(roomOf)).size).toBeGreaterThan(8);
  });

  test('every folder is a room with a reason', () => {
    expect([...new Set(FILES.map(roomOf))].filter((room) => ROOMS[key(room)] === undefined)).toEqual([]);
  });

  test('no arrow points the wrong way', () => {
    const wrong = FILES.flatMap((file) => importsOf(file).flatMap((to) => complaint(file, to)));
    expect(wrong).toEqual([]);
  });

  test('the middle is pure and synchronous', () => {
    const impure = FILES.filter(
      (file) => SYNCHRONOUS.includes(roomOf(file)) && !file.endsWith('.gen.ts'),
    ).flatMap((file) => {
      const found = IMPURE.exec(withoutComments(readFileSync(file, 'utf8')));
      return found === null ? [] : [`${file}: ${found[0]}`];
    });
    expect(impure).toEqual([]);
  });

  test('only main and the process entries touch the process', () => {
    const allowed =
      /^src\/main\.ts$|^src\/proxy\/main\.ts$|^src\/adapters\/|^src\/proxy\/|^backends\/|^src\/daemon/;
    const touching = FILES.filter(
      (file) =>
        !allowed.test(file) &&
        /(?<![.\w'"`-])process\.(?:exit|env|argv|on|std)/.test(withoutComments(readFileSync(file, 'utf8'))),
    );
    expect(touching).toEqual([]);
  });
});

function complaint(file: string, to: string): string[] {
  const from = roomOf(file);
  const room = ROOMS[key(from)];
  if (room === undefined) return [];
  if (!to.startsWith('.')) {
    const allowed = room.world || (PURE_PACKAGES[from] ?? []).includes(to);
    return allowed ? [] : [`${file} imports ${to}: ${room.because}`];
  }
  const target = roomOf(normalize(join(dirname(file), to)));
  const allowed =
    target === from ||
    room.may.includes('*') ||
    room.may.includes(target) ||
    (room.may.includes(key(target)) && key(target) !== 'adapters/*');
  return allowed ? [] : [`${file} imports ${target}: ${room.because}`];
}

/** `src/plan/order.ts` is in `plan`, `src/adapters/git/x.ts` in `adapters/git`, `src/main.ts` in `main`. */
function roomOf(path: string): string {
  const [root = '', first = '', second = ''] = path.replace(/\.[jt]s$/, '').split('/');
  if (root === 'backends') return second === '' && first !== 'registry' ? 'backends' : `backends/${first}`;
  return first === 'adapters' ? `adapters/${second}` : first;
}

/** The row of ROOMS: its own, or the one for all its kind. */
function key(room: string): string {
  return ROOMS[room] === undefined ? room.replace(/\/.*/, '/*') : room;
}

function importsOf(file: string): readonly string[] {
  const text = withoutComments(readFileSync(file, 'utf8'));
  const found = text.matchAll(
    /(?:^|[\s;])(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|import\s*\(?\s*['"]([^'"]+)['"]/g,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? '');
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
}

function sources(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
    .map((name) => join(dir, name));
}
