/** Paths inside a folder: whether they stay there, and their one spelling. */

/** Why the path leaves its folder or cannot be one; null when it is fine. `absolute`: whether it may be absolute. */
export function escapeOf(path: string, absolute: 'absolute-allowed' | 'relative-only'): string | null {
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1F\x7F]/.test(path)) return 'it holds a control character';
  if (path.startsWith('/') && absolute === 'relative-only') return 'it must be relative, not begin with /';
  if (path.startsWith('~')) return 'a ~ is not expanded: write the path out';
  if (path.includes('\\')) return 'it holds a backslash: folders are divided by /';
  if (path.split('/').includes('..')) return 'it must not leave its folder with ..';
  if (path.split('/').includes('.git')) return 'it must not reach into .git';
  return null;
}

/** `./a//b/` is `a/b`; the folder itself is `.`. */
export function normalFolder(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.length === 0 ? '.' : parts.join('/');
}
