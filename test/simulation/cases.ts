/** Seeds that broke a rule once, with what was wrong. A seed's world changes when stories or fakes do; the reason stays. */
export const FAILED_BEFORE: readonly { readonly seed: number; readonly because: string }[] = [
  { seed: 11, because: 'a slot was tidied away while a version that was kept warm still ran in it' },
  { seed: 12, because: 'a removed app was ended with requests in flight' },
  { seed: 17, because: 'a checkout that failed for a moment was never tried again' },
  { seed: 80, because: 'a version that keeps ending was replaced for ever' },
  { seed: 96, because: 'a process was ended while the proxy had not taken the new table' },
  { seed: 107, because: 'a folder was left over when the work outlived the drain' },
  { seed: 157, because: 'a commit waited for ever for an app behind a suspended one' },
  { seed: 207, because: 'a push was said to be superseded by the commit that it was built on' },
  { seed: 520, because: 'a daemon that could not see at its start took the traffic from what served' },
  { seed: 825, because: 'a process that ended at once was waited for until the health limit' },
];
