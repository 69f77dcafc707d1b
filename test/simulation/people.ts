/** What people do to a world: push, revert, deploy, suspend, kill; and what the world does by itself. */
import type { Character } from '../fakes/source-store.ts';
import { intentOf, pathOf, repoOf, SYSTEM, textOf, type AppText } from './intent.ts';
import type { World } from './world.ts';

export type Files = ReadonlyMap<string, string>;

const CALLER = { name: 'ann', role: 'operator' };

export function headFiles(world: World): Files {
  return world.history.commits.get(world.history.head ?? '')?.files ?? new Map();
}

export function appsIn(files: Files): readonly string[] {
  return [...files.keys()].flatMap((path) => /^apps\/(.*)\.yaml$/.exec(path)?.[1] ?? []);
}

/** The files with that app added or written anew. */
export function withApp(files: Files, app: AppText): Files {
  return new Map([...files, [SYSTEM.path, SYSTEM.text], [pathOf(app.name), textOf(app)]]);
}

export function withoutApp(files: Files, app: string): Files {
  return new Map([...files].filter(([path]) => path !== pathOf(app)));
}

/** The files with one key of an app's document set to another value. */
export function withKey(files: Files, app: string, key: string, value: string): Files {
  const text = files.get(pathOf(app)) ?? '';
  return new Map([...files, [pathOf(app), text.replace(new RegExp(`( *${key}: ).*`), `$1${value}`)]]);
}

export function newVersion(world: World, app: string, character: Character): string {
  return world.sources.write(repoOf(app), character);
}

/** Straight onto the branch, as a push while nobody guards the door. */
export function commit(world: World, files: Files, message: string): string {
  const made = world.history.write({ parent: world.history.head, files, message, at: world.schedule.now() });
  world.say(`--- commit ${made.slice(0, 8)}: ${message}`);
  world.history.moveHead(made);
  return made;
}

/** Through the door of the daemon that lives, and followed until its verdict. Does not wait for any of it. */
export function push(world: World, files: Files, message: string): void {
  const { daemon, history } = world;
  if (daemon === null || !daemon.started) return void commit(world, files, message);
  const parent = history.head;
  const made = history.write({ parent, files, message, at: world.schedule.now() });
  const update = { ref: 'refs/heads/main', before: parent, after: made };
  const request = { updates: [update], quarantine: null, by: 'ann' };
  const signal = new AbortController().signal;
  const lines: string[] = [];
  const print = (line: string): void => {
    world.say(`remote: ${line}`);
    lines.push(line);
  };
  world.say(`--- push ${made.slice(0, 8)}: ${message}`);
  void daemon.gate.check(request, print, signal).then((accepted) => {
    if (!daemon.life.alive) return;
    const intent = intentOf(made, files);
    if (accepted && intent === null) world.watch.violated('wrongly-accepted', message);
    const known = [...(intent?.apps.values() ?? [])].every(
      (app) => world.sources.resolve(app.source, made) !== null,
    );
    if (!accepted && intent !== null && known) world.watch.violated('wrongly-refused', lines.join('\n'));
    if (!accepted || history.head !== parent) return;
    history.moveHead(made);
    void daemon.gate.follow(request, print, signal);
  });
}

export function deploy(world: World, app: string, ref: string): void {
  world.say(`--- deploy ${app} ${ref.slice(0, 8)}`);
  world.watch.retryAsked(app);
  void world.daemon?.plane.deploy(app, ref, CALLER);
}

export function rollBack(world: World, app: string): void {
  world.say(`--- roll back ${app}`);
  world.watch.retryAsked(app);
  void world.daemon?.plane.rollback(app, CALLER);
}

export function suspend(world: World, app: string, suspended: boolean): void {
  world.say(`--- ${suspended ? 'suspend' : 'resume'} ${app}`);
  void world.daemon?.plane.suspend(app, suspended, CALLER);
}

export function restart(world: World, app: string): void {
  world.say(`--- restart ${app}`);
  world.watch.asked(app);
  void world.daemon?.plane.restart(app, CALLER);
}

/** Ends one process, as by hand. */
export function kill(world: World): void {
  const running = world.machine.running();
  if (running.length === 0) return;
  const run = world.chance.pick(running);
  world.say(`--- kill ${run.spec.id}`);
  world.machine.kill(run);
}

/** Somebody changes files in a slot of the app. */
export function damage(world: World, app: string): void {
  const { live, previous } = world.folders.apps.get(app)?.record ?? { live: null, previous: null };
  const slot = (world.chance.hit(0.5) ? live : previous)?.slot;
  if (slot === undefined) return;
  world.say(`--- damage ${app}/${slot}`);
  world.folders.damaged.add(`${app}/${slot}`);
}
