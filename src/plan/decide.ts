/**
 * What one app needs now: desired × observed × now → at most one action, or the reason why nothing is done.
 * Level-triggered: it looks only at what is, never at what happened on the way.
 */
import { short } from '../model/ids.ts';
import type { Hold } from '../model/hold.ts';
import type { Action, Blocked } from '../model/plan.ts';
import type { DesiredApp } from './desired.ts';
import { running, type ObservedApp } from './observed.ts';

/** A port that another program holds is tried again after this long. */
const LISTEN_RETRY_MS = 5000;

export type Decision =
  | { readonly kind: 'act'; readonly action: Action }
  | { readonly kind: 'blocked'; readonly blocked: Blocked; readonly wakeAt: number | null }
  | { readonly kind: 'under-way' }
  | { readonly kind: 'unchanged' };

/** An app that intent does not name (any more). */
export function decideAbsent(observed: ObservedApp): Decision {
  if (observed.work?.do === 'stop') return { kind: 'under-way' };
  if (observed.work !== null) {
    return observed.work.settled
      ? { kind: 'under-way' }
      : act({ do: 'cancel', unit: observed.name, because: 'removed from intent', after: [] });
  }
  const present =
    observed.links.live !== null || observed.links.previous !== null || observed.instances.length > 0;
  if (!present) return { kind: 'unchanged' };
  return act({ do: 'stop', unit: observed.name, because: 'removed from intent', after: [] });
}

export function decide(desired: DesiredApp, observed: ObservedApp, now: number): Decision {
  return (
    waitForWork(desired, observed) ??
    suspended(desired) ??
    prune(desired, observed) ??
    unreachable(desired, observed, now) ??
    move(desired, observed, now) ??
    keepAlive(desired, observed, now) ??
    stillWrong(desired, observed) ?? { kind: 'unchanged' }
  );
}

function waitForWork(desired: DesiredApp, observed: ObservedApp): Decision | null {
  const work = observed.work;
  if (work === null) return null;
  const wanted =
    work.do !== 'stop' && (work.digest === desired.digest || work.do === 'restart') && !desired.app.suspend;
  if (wanted || work.settled) return { kind: 'under-way' };
  const because = desired.app.suspend
    ? 'suspended'
    : `a newer version is wanted${desired.version === null ? '' : ` (${short(desired.version.commit)})`}`;
  return act({ do: 'cancel', unit: desired.name, because, after: [] });
}

function suspended(desired: DesiredApp): Decision | null {
  if (!desired.app.suspend) return null;
  return blocked(desired.name, 'suspended', 'suspended in intent; resume it to go on', null);
}

/** Processes of no slot in use, and a warm previous version that is no longer wanted. */
function prune(desired: DesiredApp, observed: ObservedApp): Decision | null {
  const { live, previous } = observed.links;
  const stray = observed.instances.filter((instance) => {
    if (observed.retiring.has(instance.id)) return false;
    if (instance.slot === live?.slot) return false;
    if (instance.slot !== previous?.slot) return true;
    return !desired.app.keep_previous_warm && previous.digest !== desired.digest;
  });
  if (stray.length === 0) return null;
  return act({
    do: 'prune',
    unit: desired.name,
    because: 'runs that belong to no slot in use',
    instances: stray.map((i) => i.id),
    after: [],
  });
}

/** Nothing is started behind a port that cannot be served. */
function unreachable(desired: DesiredApp, observed: ObservedApp, now: number): Decision | null {
  if (observed.listenFailure === null || observed.links.live !== null) return null;
  return blocked(desired.name, 'port-unavailable', observed.listenFailure, now + LISTEN_RETRY_MS);
}

/** Another version or configuration is wanted than the live one, and nothing forbids to try. */
function move(desired: DesiredApp, observed: ObservedApp, now: number): Decision | null {
  const { live, previous } = observed.links;
  if (desired.version === null || live?.digest === desired.digest) return null;
  if (holdOn(desired, observed, now) !== null) return null;
  const to = desired.version.commit;
  const common = { unit: desired.name, digest: desired.digest, to, after: [] };
  if (live === null) return act({ do: 'start', ...common, because: 'nothing of it is live yet' });
  const back = previous !== null && previous.digest === desired.digest && observed.previousIntact;
  const warm = back && running(observed, previous.slot).length >= desired.app.replicas;
  const because =
    live.commit === to
      ? 'its configuration changed'
      : `its source moved from ${short(live.commit)} to ${short(to)}`;
  return act({
    do: 'swap',
    ...common,
    via: back ? (warm ? 'warm' : 'previous') : 'new',
    from: live.commit,
    because,
  });
}

/** The live slot has all its processes, or gets them back as declared. */
function keepAlive(desired: DesiredApp, observed: ObservedApp, now: number): Decision | null {
  const live = observed.links.live;
  if (live === null) return null;
  const up = running(observed, live.slot).filter((instance) => instance.healthy).length;
  const wanted = live.digest === desired.digest ? desired.app.replicas : 1;
  const restart = {
    do: 'restart',
    unit: desired.name,
    slot: live.slot,
    digest: live.digest,
    after: [],
  } as const;
  if (observed.restartAsked && observed.liveIntact)
    return act({ ...restart, because: 'an operator asked for it' });
  if (up >= wanted || observed.liveHold?.digest === live.digest) return null;
  const exits = observed.crashes?.exits.length ?? 0;
  const restartAt = observed.crashes?.restartAt ?? 0;
  if (exits > 0 && now < restartAt) {
    return blocked(
      desired.name,
      'backing-off',
      `it ended ${times(exits)}; the next restart waits`,
      restartAt,
    );
  }
  const afresh = freshSlot(desired, observed);
  if (afresh !== null) return afresh;
  if (!observed.liveIntact) {
    const reason = "its slot's folder was changed or removed, and what is wanted cannot be laid afresh now";
    return blocked(desired.name, 'slot-drifted', reason, null);
  }
  return act({ ...restart, because: exits > 0 ? 'it ended by itself' : `${up} of ${wanted} processes run` });
}

/** The same version in a new slot: the live one's folder is damaged, or replacement is what intent declares. */
function freshSlot(desired: DesiredApp, observed: ObservedApp): Decision | null {
  const live = observed.links.live;
  if (live === null || desired.version === null || live.digest !== desired.digest) return null;
  const ended = (observed.crashes?.exits.length ?? 0) > 0;
  const replace = ended && desired.app.on_failure === 'replace';
  if (observed.liveIntact && !replace) return null;
  const because = observed.liveIntact
    ? 'it ended by itself and is replaced as declared'
    : "its slot's folder was changed or removed";
  const version = { digest: live.digest, from: live.commit, to: live.commit };
  return act({ do: 'swap', via: 'new', unit: desired.name, ...version, after: [], because });
}

/** Not as wanted, and nothing to do about it now. */
function stillWrong(desired: DesiredApp, observed: ObservedApp): Decision | null {
  const { hold, liveHold, links } = observed;
  if (hold?.digest === desired.digest && links.live?.digest !== desired.digest) return held(hold);
  if (liveHold !== null && liveHold.digest === links.live?.digest) return held(liveHold);
  if (observed.listenFailure !== null) {
    return blocked(desired.name, 'port-unavailable', observed.listenFailure, null);
  }
  if (desired.failure !== null)
    return blocked(desired.name, desired.failure.code, desired.failure.message, null);
  return desired.version === null ? { kind: 'under-way' } : null;
}

function held(hold: Hold): Decision {
  return blocked(hold.unit, hold.code, hold.reason, hold.retryAt);
}

/** The hold that forbids to try the desired digest now. */
function holdOn(desired: DesiredApp, observed: ObservedApp, now: number): ObservedApp['hold'] {
  const hold = observed.hold;
  if (hold === null || hold.digest !== desired.digest) return null;
  return hold.retryAt !== null && now >= hold.retryAt ? null : hold;
}

function act(action: Action): Decision {
  return { kind: 'act', action };
}

function blocked(unit: string, code: string, reason: string, until: number | null): Decision {
  return { kind: 'blocked', blocked: { unit, code, reason, until }, wakeAt: until };
}

function times(n: number): string {
  return n === 1 ? 'once' : `${n} times`;
}
