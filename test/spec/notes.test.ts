/** Notes: readable by stock git, kept through kill -9 and beside what others write on the same ref. */
import { randomInt } from 'node:crypto';
import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { appDoc } from '../support/documents.ts';
import { freePort } from '../support/free-ports.ts';
import { git, tryGit } from '../support/git.ts';
import { openStage } from '../support/stage.ts';
import { eventually } from '../support/wait.ts';

const NOTES = 'refs/notes/mainstay';

interface Note {
  readonly state: string;
  readonly at: string;
  readonly took_ms: number;
  readonly by: string;
  readonly actions: readonly { do: string; unit: string; because: string; result: string; took_ms: number }[];
  readonly plan: Record<string, number>;
  readonly apps: Record<
    string,
    { slot: string; commit: string; previous_commit: string; healthy: boolean; url: string }
  >;
  readonly reason?: string;
}

describe('notes', () => {
  test('G06 git log shows state, duration, actions and slots of each commit', async () => {
    await using stage = await openStage({ app: { health_timeout_ms: 500 } });
    const b = await stage.source.commit('B');
    const bad = await stage.source.commit({ text: 'bad', exit_at_boot: 1 });
    await stage.pushApp({ source: { repo: stage.source.dir, ref: b } });
    const failed = await stage.pushApp({ source: { repo: stage.source.dir, ref: bad } });
    await stage.intent.git('fetch', '-q', 'origin', `+${NOTES}:${NOTES}`);
    const log = await stage.intent.git('log', '--reverse', '--notes=mainstay', '--format=%H%x00%N%x01');
    const entries = log
      .split('\x01')
      .map((entry) => entry.trim().split('\0'))
      .filter((entry) => entry.length === 2)
      .map(([commit, text]) => ({ commit, note: parse(text ?? '') as Note }));
    expect(entries.map((entry) => entry.note.state)).toEqual(['converged', 'converged', 'failed']);
    const second = entries[1]?.note;
    expect(second).toMatchObject({
      took_ms: expect.any(Number),
      by: expect.stringContaining('Ada Person'),
      plan: { start: 0, stop: 0, swap: 1, unchanged: 0 },
      apps: {
        web: {
          commit: b,
          previous_commit: stage.first,
          healthy: true,
          slot: expect.stringContaining('slot-'),
        },
      },
    });
    expect(Date.parse(second?.at ?? '')).not.toBeNaN();
    expect(second?.actions[0]).toMatchObject({ do: 'swap', unit: 'web', because: expect.any(String) });
    expect(entries[2]).toMatchObject({ commit: failed.commit, note: { reason: expect.any(String) } });
    const listed = await stage.intent.git('notes', '--ref=mainstay', 'list');
    expect(listed.split('\n')).toHaveLength(3);
    const history = await stage.mainstay.cli(['history', '--json']);
    expect(history.stdout).toContain(failed.commit);
  }, 60_000);

  test('G06 a commit that came with a newer one in the same push is noted as superseded by it', async () => {
    await using stage = await openStage();
    await stage.intent.git('commit', '--allow-empty', '-q', '-m', 'between');
    const between = (await stage.intent.git('rev-parse', 'HEAD')).trim();
    await stage.intent.git('commit', '--allow-empty', '-q', '-m', 'newest');
    const newest = (await stage.intent.git('rev-parse', 'HEAD')).trim();
    await stage.intent.push();
    const wait = await stage.mainstay.cli(['wait', between]);
    expect(wait.code).toBe(0);
    expect(wait.stdout).toContain(newest);
    await eventually('both are noted', async () => {
      await stage.intent.git('fetch', '-q', 'origin', `+${NOTES}:${NOTES}`);
      const notes = await Promise.all(
        [between, newest].map((commit) =>
          tryGit(stage.intent.dir, ['notes', '--ref=mainstay', 'show', commit]),
        ),
      );
      const states = notes.map(({ stdout }) => (parse(stdout) as Note | null)?.state);
      return states[0] === 'superseded' && states[1] === 'converged';
    });
  }, 30_000);

  test("the app's own source repository gets a note on the deployed commit", async () => {
    await using stage = await openStage();
    await eventually('a note is on the source commit', async () => {
      const shown = await tryGit(stage.source.dir, ['notes', '--ref=mainstay', 'show', stage.first]);
      return shown.code === 0 && shown.stdout.includes('web');
    });
  }, 30_000);

  test('the plan counts what began before every source had been looked up', async () => {
    await using stage = await openStage({ version: null });
    const version = await stage.source.commit('A');
    const own = appDoc('own', { source: { repo: '.', path: 'own' }, port: await freePort() });
    await mkdir(join(stage.intent.dir, 'own'));
    for (const name of await readdir(stage.source.dir))
      if (name !== '.git') await cp(join(stage.source.dir, name), join(stage.intent.dir, 'own', name));
    expect((await stage.intent.change({ 'apps/own.yaml': own })).code).toBe(0);
    const { commit } = await stage.pushApp({ source: { repo: stage.source.dir, ref: version } });
    const shown = await git(stage.mainstay.intentPath, ['notes', '--ref=mainstay', 'show', commit]);
    const note = parse(shown) as Note;
    expect(note.plan).toEqual({ start: 1, stop: 0, swap: 0, unchanged: 1 });
  }, 30_000);

  test('G07 kill -9 at random moments and 16 foreign writers: no note is lost, none overwritten', async () => {
    await using stage = await openStage();
    const repo = stage.mainstay.intentPath;
    const commits = [await stage.intent.git('rev-parse', 'HEAD')];
    const written: { on: string; line: string }[] = [];
    let going = true;
    const writers = Array.from({ length: 16 }, async (_none, writer) => {
      for (let n = 0; going; n++) {
        const on = commits[randomInt(commits.length)] ?? '';
        const line = `x-writer-${writer}: ${n}`;
        await appendByCas(repo, `refs/foreign/${writer}`, on, line);
        written.push({ on, line });
        await delay(randomInt(600));
      }
    });
    for (let n = 0; n < 10; n++) {
      await stage.intent.write('apps/web.yaml', stage.doc({ env: { N: String(n) } }));
      commits.push(await stage.intent.commit(`change ${n}`));
      const push = await stage.intent.startPush();
      if (n % 2 === 0) {
        await delay(randomInt(400));
        await stage.mainstay.kill9();
        push.kill();
        await push.done;
        await stage.mainstay.start();
        await stage.intent.push();
      }
      await push.done;
    }
    going = false;
    await Promise.all(writers);
    const last = commits.at(-1) ?? '';
    expect((await stage.mainstay.cli(['wait', last])).code).toBe(0);
    await eventually(
      'every commit has its note in the end',
      async () => {
        for (const commit of commits) {
          const text = await git(repo, ['notes', '--ref=mainstay', 'show', commit]);
          if (!/^state: (converged|superseded|failed)$/m.test(text)) throw new Error(`${commit}: ${text}`);
        }
        return true;
      },
      15_000,
    );
    expect(written.length).toBeGreaterThan(50);
    const lost: string[] = [];
    for (const commit of commits) {
      const text = await git(repo, ['notes', '--ref=mainstay', 'show', commit]);
      expect(text.match(/^state: /gm)).toHaveLength(1);
      const lines = new Set(text.split('\n'));
      for (const one of written.filter((entry) => entry.on === commit)) {
        if (!lines.has(one.line)) lost.push(`${commit} ${one.line}`);
      }
    }
    expect(lost).toEqual([]);
  }, 120_000);
});

/** What a careful foreign writer does: builds on a ref of its own and moves the notes ref by compare-and-swap. */
async function appendByCas(repo: string, own: string, on: string, line: string): Promise<void> {
  const scratch = own.replace('refs/', 'refs/notes/');
  for (let tries = 0; tries < 400; tries++) {
    const old = (await tryGit(repo, ['rev-parse', '-q', '--verify', NOTES])).stdout.trim();
    if (old === '') continue;
    await git(repo, ['update-ref', scratch, old]);
    await git(repo, ['notes', `--ref=${scratch}`, 'append', '-m', line, on]);
    const mine = await git(repo, ['rev-parse', scratch]);
    if ((await tryGit(repo, ['update-ref', NOTES, mine, old])).code === 0) return;
    await delay(randomInt(20));
  }
  throw new Error(`${own} could not write its note`);
}
