/** Decides whether a symlink of a tree leads out of the tree. Pure; follows the tree's own links, as the kernel would. */

/** As many as Linux follows before it gives up. */
const HOPS_MAX = 40;

/**
 * True when the link at `path` can lead outside the root. `links` holds the target of every symlink of the tree by its
 * path. A link that leads nowhere, or in a circle, leads to nothing and is not one that leaves.
 */
export function leavesTree(path: string, links: ReadonlyMap<string, string>): boolean {
  const here: string[] = [];
  // Reversed: the next component is the last one.
  const rest = path.split('/').toReversed();
  let hops = 0;
  while (rest.length > 0) {
    const part = rest.pop();
    if (part === undefined || part === '' || part === '.') continue;
    if (part === '..') {
      if (here.length === 0) return true;
      here.pop();
      continue;
    }
    here.push(part);
    const target = links.get(here.join('/'));
    if (target === undefined) continue;
    if (target.startsWith('/')) return true;
    hops += 1;
    if (hops > HOPS_MAX) return false;
    here.pop();
    rest.push(...target.split('/').toReversed());
  }
  return false;
}
