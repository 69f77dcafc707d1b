/** Lets a world come to rest, with every fault gone, and compares what is with what intent wants. */
import { noteText } from '../../src/control/records/note-text.ts';
import { isTerminal } from '../../src/control/records/record.ts';
import type { App } from '../../src/model/intent.ts';
import type { SlotLinks } from '../../src/model/slot.ts';
import { slotDigest } from '../../src/plan/desired.ts';
import type { Character } from '../fakes/source-store.ts';
import { DAEMON } from './daemon.ts';
import { intentOf } from './intent.ts';
import type { Rule } from './rules.ts';
import type { World } from './world.ts';

/** Nothing may change for so long, twice: longer than all but the last backoffs of what keeps ending. */
const CALM_MS = 40_000;
const ROUNDS_MAX = 30;
const HEALTHY: ReadonlySet<Character> = new Set(['good', 'slow', 'crashy']);

export async function comeToRest(world: World): Promise<void> {
  world.say('--- faults end');
  world.spare();
  world.sources.unreachable.clear();
  world.sources.moved();
  world.notes.failing = 0;
  world.machine.blind = 0;
  world.plane.failing = 0;
  world.plane.taken.clear();
  world.folders.failCheckout.clear();
  let before = '';
  for (let round = 1; round <= ROUNDS_MAX && world.watch.broken === null; round++) {
    await world.pass(CALM_MS);
    const now = signature(world);
    if (now === before && world.daemon?.started === true) return checkRest(world);
    before = now;
  }
  world.watch.violated(
    'not-settled',
    `something still happens after ${(ROUNDS_MAX * CALM_MS) / 60_000} minutes`,
  );
}

function signature(world: World): string {
  return JSON.stringify([
    [...world.tables.commits.values()].map((record) => [record.commit, record.revision]),
    [...world.tables.noted],
    [...world.tables.holds.keys()],
    [...world.folders.apps].map(([name, app]) => [name, app.record, [...app.slots.keys()]]),
    [...world.machine.world.runs.values()].map((run) => [run.handle, run.exit]),
    world.plane.table.listeners,
    world.history.head,
  ]);
}

function checkRest(world: World): void {
  const { head } = world.history;
  if (head === null || world.watch.broken !== null) return;
  const broken = (rule: Rule, what: string): void => world.watch.violated(rule, what);
  checkCommits(world, broken);
  const active = activeCommit(world, head);
  const intent = intentOf(active, world.history.commits.get(active)?.files ?? new Map());
  if (intent === null) return;
  const known = new Set([
    ...world.folders.apps.keys(),
    ...world.machine.running().map(({ spec }) => spec.app),
  ]);
  for (const name of known) if (!intent.apps.has(name)) checkGone(world, name, broken);
  const verdicts = [...intent.apps.values()].map((app) =>
    checkApp(world, { app, apps: intent.apps, active }, broken),
  );
  const state = world.tables.commits.get(active)?.state;
  if (verdicts.every((verdict) => verdict === 'good') && state !== 'converged')
    broken('commit-open', `${active} is ${state}, and all is as it wants`);
  if (verdicts.includes('bad') && state === 'converged')
    broken('commit-open', `${active} is converged, and something of it is not so`);
}

/** The newest valid commit: the head, or what it builds on. */
function activeCommit(world: World, head: string): string {
  for (let at: string | undefined = head; at !== undefined; at = world.history.commits.get(at)?.parents[0]) {
    if (intentOf(at, world.history.commits.get(at)?.files ?? new Map()) === null) continue;
    if (at === head || world.tables.values.get('active-commit') === at) return at;
  }
  return world.tables.values.get('active-commit') ?? head;
}

function checkCommits(world: World, broken: (rule: Rule, what: string) => void): void {
  const { commits, noted } = world.tables;
  if (!commits.has(world.history.head ?? ''))
    broken('commit-open', `nothing is known of ${world.history.head}`);
  for (const record of commits.values()) {
    const { commit, state, supersededBy } = record;
    if (!isTerminal(state)) broken('commit-open', `${commit} is still ${state}`);
    if (supersededBy !== null && !world.history.isAncestor(commit, supersededBy))
      broken('superseded-by-stranger', `${commit} by ${supersededBy}`);
    if (noted.get(commit) !== record.revision || world.notes.texts.get(commit) !== noteText(record, DAEMON))
      broken('note-differs', `${commit}: ${world.notes.texts.get(commit)} but ${JSON.stringify(record)}`);
  }
}

function checkGone(world: World, name: string, broken: (rule: Rule, what: string) => void): void {
  const runs = world.machine.running().filter(({ spec }) => spec.app === name);
  if (runs.length > 0) broken('stray', `${name} is gone from intent, and ${runs[0]?.spec.id} runs`);
  if (world.plane.routes().some((route) => route.app === name))
    broken('stray', `${name} is gone from intent and has a route`);
  const app = world.folders.apps.get(name);
  if (app !== undefined && (app.record !== null || app.slots.size > 0))
    broken('leftover', `${name} is gone from intent and has ${[...app.slots.keys()].join(', ')}`);
}

/** `unclear`: suspended, or what was asked of it is not for this check to say. */
type Verdict = 'good' | 'bad' | 'unclear';

interface Wanted {
  readonly app: App;
  readonly apps: ReadonlyMap<string, App>;
  readonly active: string;
}

function checkApp(world: World, wanted: Wanted, broken: (rule: Rule, what: string) => void): Verdict {
  const { app } = wanted;
  const version = world.sources.resolve(app.source, wanted.active);
  const links: SlotLinks = world.folders.apps.get(app.name)?.record ?? { live: null, previous: null };
  const digest = version === null ? '' : slotDigest(app, version);
  checkStrays(world, { app, links, digest }, broken);
  if (app.suspend || world.tables.holds.has(`${app.name} live`)) return 'unclear';
  const character = world.sources.characters.get(version?.commit ?? '');
  const isLive = links.live !== null && links.live.digest === digest;
  if (character === undefined || !HEALTHY.has(character)) {
    if (isLive) broken('not-as-wanted', `${app.name}: a ${character} version is live`);
    // What is live can be started again only from an undamaged folder: what is wanted in its place is no good either.
    const damaged = world.folders.damaged.has(`${app.name}/${links.live?.slot}`);
    if (!damaged) checkServes(world, app.name, { links, wanted: 1 }, broken);
    return 'bad';
  }
  if (character === 'crashy') return 'unclear';
  if (!isLive) return checkWaits(world, wanted, broken);
  checkServes(world, app.name, { links, wanted: app.replicas }, broken);
  return 'good';
}

/** A good version that is not live: only because it was ended by hand before it was, or comes after what is not there. */
function checkWaits(world: World, wanted: Wanted, broken: (rule: Rule, what: string) => void): Verdict {
  const { name, after } = wanted.app;
  if (world.tables.holds.get(`${name} version`)?.code === 'exited-early') return 'unclear';
  if (after.some((other) => !asWanted(world, wanted, other))) return 'bad';
  const live = world.folders.apps.get(name)?.record?.live?.commit;
  broken('not-as-wanted', `${name}: ${live} is live, ${wanted.app.source.ref} is wanted`);
  return 'unclear';
}

function asWanted(world: World, { apps, active }: Wanted, name: string): boolean {
  const app = apps.get(name);
  const version = app === undefined ? null : world.sources.resolve(app.source, active);
  if (app === undefined || version === null || app.suspend || world.tables.holds.has(`${name} live`))
    return false;
  return world.folders.apps.get(name)?.record?.live?.digest === slotDigest(app, version);
}

/** Whatever is live serves, complete. */
function checkServes(
  world: World,
  name: string,
  { links, wanted }: { readonly links: SlotLinks; readonly wanted: number },
  broken: (rule: Rule, what: string) => void,
): void {
  if (links.live === null || world.tables.holds.has(`${name} live`)) return;
  if (world.sources.characters.get(links.live.commit) === 'crashy') return;
  const runs = world.machine
    .running()
    .filter(({ spec }) => spec.app === name && spec.slot === links.live?.slot);
  const healthy = runs.filter((run) => world.machine.healthy(run));
  if (healthy.length !== runs.length || runs.length < wanted)
    broken('not-as-wanted', `${name}: ${healthy.length} of ${wanted} processes are healthy`);
  const targets = world.plane
    .routes()
    .filter((route) => route.app === name)
    .flatMap((route) => route.generation?.targets.map((target) => target.port) ?? []);
  if (sorted(targets) !== sorted(runs.map(({ spec }) => spec.port)))
    broken('not-as-wanted', `${name}: the route leads to ${targets.join()}, not to all that is live`);
}

function checkStrays(
  world: World,
  { app, links, digest }: { readonly app: App; readonly links: SlotLinks; readonly digest: string },
  broken: (rule: Rule, what: string) => void,
): void {
  const { live, previous } = links;
  const keep = new Set([
    live?.slot,
    app.keep_previous_warm || previous?.digest === digest ? previous?.slot : live?.slot,
  ]);
  const stray = [...world.machine.world.runs.values()].find(
    ({ spec, exit }) => spec.app === app.name && (exit !== null || !keep.has(spec.slot)),
  );
  if (stray !== undefined && !app.suspend)
    broken('stray', `${stray.spec.id} is ${stray.exit === null ? 'running' : 'not forgotten'}`);
  const linked = new Set([live?.slot, previous?.slot]);
  const left = [...(world.folders.apps.get(app.name)?.slots.keys() ?? [])].filter(
    (slot) => !linked.has(slot),
  );
  if (left.length > 0 && !app.suspend) broken('leftover', `${app.name} has ${left.join(', ')}`);
}

function sorted(ports: readonly number[]): string {
  return ports.toSorted((a, b) => a - b).join();
}
