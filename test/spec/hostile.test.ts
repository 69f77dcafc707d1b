/** Hostile commits: whatever a push carries, the answer comes in time, names what is wrong, and nothing escapes. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { git, tryGit } from '../support/git.ts';
import { openStage, type Stage } from '../support/stage.ts';

const LIMIT = 120_000;
/** No answer may take longer. */
const ANSWER_MS = 15_000;

const app = (stage: Stage, extra: string): string =>
  `kind: App\nname: web\nsource: {repo: ${stage.source.dir}, ref: ${stage.first}}\nstart_command: node server.js\nport: ${stage.port}\n${extra}`;

function texts(stage: Stage): Readonly<Record<string, string | Buffer>> {
  const laughs = Array.from({ length: 30 }, (_none, n) => `a${n}: &a${n} [${`*a${n - 1},`.repeat(9)}]`).slice(
    1,
  );
  return {
    'alias bomb': app(stage, `env:\n  a0: &a0 [x]\n  ${laughs.join('\n  ')}\n`),
    'deep nesting': app(stage, `env: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`),
    'one huge file': app(stage, `env: {A: "${'x'.repeat(6_000_000)}"}\n`),
    'many keys': app(
      stage,
      `env:\n${Array.from({ length: 60_000 }, (_none, n) => `  K${n}: v`).join('\n')}\n`,
    ),
    'duplicate keys': app(stage, 'port: 1\n'),
    'not UTF-8': Buffer.concat([
      Buffer.from(app(stage, 'env: {A: "')),
      Buffer.from([0xff, 0xfe, 0x80]),
      Buffer.from('"}\n'),
    ]),
    'NUL bytes': app(stage, 'env: {A: "\0"}\n'),
    'prototype keys': app(stage, 'env: {__proto__: {x: y}, constructor: z}\n'),
    'YAML 1.1': `%YAML 1.1\n---\n${app(stage, 'suspend: yes\n')}`,
    'unknown tag': app(stage, 'env: {A: !!js/function "x"}\n'),
    'merge keys': app(stage, 'env:\n  <<: {A: b}\n'),
    'terminal escapes': app(stage, 'env: {A: 1, "\\e[2J\\e]0;x\\a": "1"}\n'),
    'path that leaves': app(stage, 'shared_dirs: ["../../../../tmp/x"]\n'),
    'git option as ref': app(stage, '').replace(stage.first, '"--output=/tmp/x"'),
  };
}

describe('hostile commits', () => {
  test(
    'documents that attack the parser are refused in time, with a position, and the daemon goes on',
    async () => {
      await using stage = await openStage();
      const pid = stage.mainstay.pid();
      const wrong: string[] = [];
      for (const [what, text] of Object.entries(texts(stage))) {
        await writeFile(join(stage.intent.dir, 'apps', 'web.yaml'), text);
        await stage.intent.commit(what);
        const push = await stage.intent.push();
        const shown = push.said.map((line) => line.text).join(' | ');
        if (push.code !== 1) wrong.push(`${what}: accepted`);
        if (push.tookMs > ANSWER_MS) wrong.push(`${what}: took ${push.tookMs} ms`);
        if (!/apps\/web\.yaml:\d+:\d+: error /.test(shown))
          wrong.push(`${what}: no position: ${shown.slice(0, 200)}`);
        // eslint-disable-next-line no-control-regex
        if (/\u001b\[2J|\u0007/.test(push.stderr))
          wrong.push(`${what}: control characters reach the terminal`);
        await stage.intent.git('reset', '-q', '--hard', 'HEAD~1');
      }
      expect(wrong).toEqual([]);
      expect(stage.mainstay.pid()).toBe(pid);
      expect(await stage.text()).toBe('A');
      expect((await stage.pushApp({ env: { OK: '1' } })).said.at(-1)?.text).toMatch(/^converged/);
    },
    LIMIT,
  );

  test(
    'trees with links, submodules and strange names reach nothing outside the repository',
    async () => {
      await using stage = await openStage();
      const blob = await hash(stage, 'kind: App\nname: evil\n');
      const base = await stage.intent.git('ls-tree', 'HEAD');
      const cases: Readonly<Record<string, string>> = {
        'a link as a document': `120000 blob ${await hash(stage, '/etc/passwd')}\tevil.yaml`,
        'a link out as a folder': `120000 blob ${await hash(stage, '/etc')}\tservices`,
        'a submodule': `160000 commit ${stage.first}\tmodule`,
        'dot dot': `100644 blob ${blob}\t..`,
        'dot git': `100644 blob ${blob}\t.git`,
        'dot GIT': `100644 blob ${blob}\t.GIT`,
        'a name with a line end': `100644 blob ${blob}\tevil\\n\\033[2J.yaml`,
        'a name that is an option': `100644 blob ${blob}\t--output=x.yaml`,
      };
      const wrong: string[] = [];
      for (const [what, entry] of Object.entries(cases)) {
        const commit = await commitTree(
          stage,
          `${base}\n${entry.replace(/\t(.*)$/, (_all, name: string) => `\t${JSON.parse(`"${name.replace('\\033', '\\u001b')}"`) as string}`)}`,
        );
        if (commit === null) continue;
        const push = await tryGit(stage.intent.dir, ['push', 'origin', `${commit}:refs/heads/main`], {
          limitMs: ANSWER_MS,
        });
        if (push.code === null) wrong.push(`${what}: no answer in time`);
        if (/root:x:0/.test(push.stderr)) wrong.push(`${what}: /etc/passwd was read`);
        // eslint-disable-next-line no-control-regex
        if (/\u001b\[2J/.test(push.stderr)) wrong.push(`${what}: control characters reach the terminal`);
        if (push.code === 0 && what === 'a link as a document' && !/warning|ignored/i.test(push.stderr))
          wrong.push(`${what}: accepted without a word`);
        if (push.code === 0) await stage.intent.pull();
      }
      expect(wrong).toEqual([]);
      expect((await stage.mainstay.api('GET', '/healthz')).status).toBe(200);
      expect(await stage.text()).toBe('A');
    },
    LIMIT,
  );

  test(
    'an app whose tree leaves its slot is not deployed',
    async () => {
      await using stage = await openStage();
      const outside = join(stage.mainstay.root, 'outside');
      await mkdir(outside);
      await writeFile(join(outside, 'kept'), 'kept');
      const out = join(stage.source.dir, 'out');
      await symlink(outside, out);
      const linked = await stage.source.commit('linked');
      const answer = await stage.deploy(linked);
      expect(answer.body.success ?? false).toBe(false);
      expect(JSON.stringify(answer.body)).toMatch(/link/i);
      expect(await stage.text()).toBe('A');
      await git(stage.source.dir, ['rm', '-q', '-f', 'out']);
      const [shared] = [await stage.source.commit('ok', { 'uploads/x': 'y' })];
      expect((await stage.deploy(shared)).body.success).toBe(true);
      expect(await readdir(outside)).toEqual(['kept']);
    },
    LIMIT,
  );

  test(
    'a flood of documents and pushes at once is answered',
    async () => {
      await using stage = await openStage();
      for (let n = 0; n < 300; n++)
        await stage.intent.write(`docs/d${n}.yaml`, `kind: App\nname: d${n}\nport: x\n`);
      await stage.intent.commit('flood');
      const push = await stage.intent.push();
      expect(push.code).toBe(1);
      expect(push.tookMs).toBeLessThan(ANSWER_MS);
      expect(push.stderr.length).toBeLessThan(2_000_000);
      await stage.intent.git('reset', '-q', '--hard', 'HEAD~1');
      await stage.intent.commit('fine');
      const pushes = await Promise.all(
        Array.from({ length: 8 }, (_none, n) =>
          tryGit(stage.intent.dir, ['push', 'origin', `HEAD:refs/heads/b${n}`], { limitMs: 30_000 }),
        ),
      );
      expect(pushes.map((one) => one.code)).toEqual(Array.from({ length: 8 }, () => 0));
      expect(existsSync(join(stage.mainstay.data, 'operator.token'))).toBe(true);
    },
    LIMIT,
  );
});

async function hash(stage: Stage, text: string): Promise<string> {
  return git(stage.intent.dir, ['hash-object', '-w', '--stdin'], { input: text });
}

/** A commit on HEAD with exactly this tree; null when git itself will not make such a tree. */
async function commitTree(stage: Stage, listing: string): Promise<string | null> {
  const entries = listing.split('\n').filter((line) => line.includes('\t'));
  const rest = listing.split('\n').filter((line) => !line.includes('\t'));
  const whole = rest.length > 0 ? [...entries.slice(0, -1), [entries.at(-1), ...rest].join('\n')] : entries;
  const tree = await tryGit(stage.intent.dir, ['mktree', '-z', '--missing'], {
    input: `${whole.join('\0')}\0`,
  });
  if (tree.code !== 0) return null;
  return git(stage.intent.dir, ['commit-tree', tree.stdout.trim(), '-p', 'HEAD', '-m', 'hostile']);
}
