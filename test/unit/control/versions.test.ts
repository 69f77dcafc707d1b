/** What sources answered is kept for as long as it is in use, and a question that fails is answered, too. */
import { expect, test } from 'vitest';
import { ok, type Result } from '../../../src/base/result.ts';
import type { Context } from '../../../src/control/context.ts';
import { createVersions } from '../../../src/control/loop/versions.ts';
import type { App, Intent } from '../../../src/model/intent.ts';
import type { SourceRef, SourceVersion } from '../../../src/model/source.ts';

type Answer = (source: SourceRef) => Promise<Result<SourceVersion>>;

const version = (source: SourceRef): SourceVersion => ({
  source,
  commit: 'c'.repeat(40),
  tree: 't'.repeat(40),
  gitDir: '/source.git',
  followed: false,
});

function context(answer: Answer, errors: string[]): Context {
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (message: string) => errors.push(message),
  };
  const clock = { now: () => 0, sleep: () => new Promise<boolean>(() => undefined) };
  const ports = { clock, log, sources: { resolve: answer } };
  const signal = new AbortController().signal;
  return { ports, signal, wake: () => undefined, state: { intent: null } } as unknown as Context;
}

function intent(commit: string, sources: readonly SourceRef[]): Intent {
  const apps = sources.map((source, i): [string, App] => {
    const name = `app-${i}`;
    return [name, { name, source, env: {}, secrets: [], shared_dirs: [], replicas: 1 } as unknown as App];
  });
  return { commit, system: {}, apps: new Map(apps) } as unknown as Intent;
}

/** All questions on their way have been answered. */
const answered = (): Promise<void> => new Promise((done) => void setImmediate(done));

test('an answer in use outlives any number of commits', async () => {
  const asked: string[] = [];
  const answer: Answer = async (source) => {
    asked.push(source.repo);
    return ok(version(source));
  };
  const versions = createVersions(context(answer, []));
  const own = ['a', 'b', 'c'].map((path): SourceRef => ({ repo: '.', ref: null, path }));
  for (let n = 0; n < 100; n++) {
    versions.desired(intent(`commit-${n}`, [{ repo: 'https://far/away', ref: 'v1', path: '.' }, ...own]));
    await answered();
  }
  expect(asked.filter((repo) => repo !== '.')).toEqual(['https://far/away']);
});

test('a question that fails unexpectedly is logged, and said of the app', async () => {
  const errors: string[] = [];
  const versions = createVersions(context(() => Promise.reject(new Error('no room')), errors));
  const wanted = intent('commit', [{ repo: '/apps/web', ref: 'main', path: '.' }]);
  versions.desired(wanted);
  await answered();
  expect(versions.desired(wanted).apps.get('app-0')?.failure?.message).toContain('no room');
  expect(errors).toHaveLength(1);
});
