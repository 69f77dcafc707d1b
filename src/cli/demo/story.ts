/** What the demo tells, step by step. Every claim it prints is checked; the first that does not hold ends it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startLoad } from './load.ts';
import type { LoadCount } from './load.ts';
import type { Narrator } from './narrator.ts';
import type { Stage } from './stage.ts';

export interface Outcome extends LoadCount {
  readonly ok: boolean;
}

const APP = 'apps/hello.yaml';
const SERVER = 'hello/server.js';

export async function tell(stage: Stage, narrator: Narrator, signal: AbortSignal): Promise<Outcome> {
  narrator.say(`One daemon, one app, stock git. Everything happens in ${stage.dir}`);
  await narrator.step('Start the daemon', async () => {
    narrator.command('mainstay serve');
    await stage.startDaemon();
    narrator.output(`push to ${stage.url}/intent.git`);
  });
  await narrator.step('Make an intent repository with an example app', () => begin(stage, narrator));
  await narrator.step('Push it: it is checked, deployed, and the terminal says so', async () => {
    await push(stage, narrator, 'converged');
    await curl(stage, narrator, 'version 1');
  });
  const load = startLoad(stage.appUrl);
  try {
    await middle(stage, narrator);
  } catch (error) {
    await load.stop();
    throw error;
  }
  signal.throwIfAborted();
  const count = await load.stop();
  await narrator.step('Stop everything', async () => {
    narrator.command('mainstay shutdown');
    const ran = await stage.mainstay(['shutdown', '--data', stage.data], (line) => narrator.output(line));
    insist(ran.code === 0, 'mainstay shutdown ends with 0');
  });
  narrator.say(
    '',
    `All the while a client asked the app: ${count.requests} requests, ${count.failed} failed.`,
  );
  if (count.failed > 0) narrator.say(`the first failure: ${count.first_failure}`);
  return { ok: count.failed === 0, ...count };
}

async function begin(stage: Stage, narrator: Narrator): Promise<void> {
  narrator.command('mainstay init intent');
  const made = await stage.mainstay(['init', stage.intent]);
  insist(made.code === 0, 'mainstay init ends with 0');
  await edit(stage, APP, (text) =>
    text
      .replace(/^port: .*$/m, `port: ${stage.appPort}`)
      .replace(/^health_timeout_ms: .*$/m, 'health_timeout_ms: 2000'),
  );
  await stage.run(['git', 'commit', '--quiet', '--all', '--message', 'hello: use a free port']);
  narrator.command('git remote add mainstay URL');
  await stage.run(['git', 'remote', 'add', 'mainstay', `${stage.url}/intent.git`]);
}

async function middle(stage: Stage, narrator: Narrator): Promise<void> {
  await narrator.step('Version 2, while a client asks without a pause', async () => {
    await edit(stage, SERVER, (text) => text.replace("version = '1'", "version = '2'"));
    await commit(stage, narrator, 'hello: version 2');
    await push(stage, narrator, 'converged');
    await curl(stage, narrator, 'version 2');
  });
  await narrator.step('A wrong document is refused at the door', async () => {
    await edit(stage, APP, (text) => text.replace('start_command:', 'start_comand:'));
    await commit(stage, narrator, 'hello: a typing error');
    await push(stage, narrator, 'refused');
    narrator.say('the branch has not moved; take the commit back:');
    narrator.command('git reset --hard HEAD~1');
    await stage.run(['git', 'reset', '--quiet', '--hard', 'HEAD~1']);
  });
  await narrator.step('Version 3 never becomes healthy: version 2 goes on serving', async () => {
    await edit(stage, SERVER, (text) =>
      text
        .replace("version = '2'", "version = '3'")
        .replace("response.end('ok\\n');", "response.writeHead(500).end('broken\\n');"),
    );
    await commit(stage, narrator, 'hello: version 3');
    await push(stage, narrator, 'failed');
    await curl(stage, narrator, 'version 2');
  });
  await narrator.step('git revert is rollback: both changes back, version 1 again', async () => {
    narrator.command('git revert --no-edit HEAD HEAD~1');
    await stage.run(['git', 'revert', '--no-edit', 'HEAD', 'HEAD~1']);
    await push(stage, narrator, 'converged');
    await curl(stage, narrator, 'version 1');
  });
  await narrator.step('What became of each commit is a git note on it', () => notes(stage, narrator));
}

async function notes(stage: Stage, narrator: Narrator): Promise<void> {
  narrator.command("git fetch mainstay 'refs/notes/*:refs/notes/*'");
  await stage.run(['git', 'fetch', '--quiet', 'mainstay', '+refs/notes/*:refs/notes/*']);
  narrator.command('git log --notes=mainstay   (shortened)');
  const log = await stage.run(['git', 'log', '--notes=mainstay', '--format=* %h %s%n%N']);
  const shown = log.text.split('\n').filter((line) => /^(\* |state:|took_ms:|reason:)/.test(line));
  for (const line of shown) narrator.output(line.startsWith('*') ? line : `    ${line}`);
  insist(
    shown.includes('state: converged') && shown.includes('state: failed'),
    'the notes name both verdicts',
  );
}

async function edit(stage: Stage, path: string, change: (text: string) => string): Promise<void> {
  const file = join(stage.intent, path);
  const before = await readFile(file, 'utf8');
  const after = change(before);
  insist(after !== before, `the demo's edit of ${path} changes it`);
  await writeFile(file, after);
}

async function commit(stage: Stage, narrator: Narrator, message: string): Promise<void> {
  narrator.command(`git commit -am '${message}'`);
  await stage.run(['git', 'commit', '--quiet', '--all', '--message', message]);
}

async function push(
  stage: Stage,
  narrator: Narrator,
  expected: 'converged' | 'failed' | 'refused',
): Promise<void> {
  narrator.command('git push mainstay main');
  const lines: string[] = [];
  const ran = await stage.run(['git', 'push', '--no-progress', 'mainstay', 'main'], (line) => {
    lines.push(line);
    if (line.startsWith('remote: ') || line.startsWith(' ! ')) narrator.output(line);
  });
  const verdict = lines.findLast((line) => /^remote: (converged|failed) /.test(line)) ?? '';
  if (expected === 'refused') insist(ran.code !== 0, 'the push is refused');
  else
    insist(verdict.startsWith(`remote: ${expected} `), `the push ends with "remote: ${expected} …"`, lines);
}

async function curl(stage: Stage, narrator: Narrator, expected: string): Promise<void> {
  narrator.command(`curl ${stage.appUrl}`);
  const answer = await fetch(stage.appUrl, { signal: AbortSignal.timeout(5000) });
  const text = (await answer.text()).trim();
  narrator.output(text);
  insist(text.includes(expected), `the app answers ${expected}, not: ${text}`);
}

function insist(holds: boolean, claim: string, lines: readonly string[] = []): void {
  if (!holds) throw new Error(`not so: ${claim}${lines.length === 0 ? '' : `\n${lines.join('\n')}`}`);
}
