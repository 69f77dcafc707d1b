/** What a process that we start gets of our own environment: by name, never the whole of it. Pure. */

/** Enough to find programs, a home and a place for temporary files; nothing that could be a secret. */
const INHERITED: readonly string[] = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'];

/** Those of `names` that are set in `environment`. */
export function inherited(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[] = INHERITED,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = environment[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}
