/**
 * How an app's command is run. A list of arguments is run as it is. A string is the shell's: `sh -c 'exec …'`, so that
 * the process that gets our signals is the app itself. `exec` takes exactly one plain command: `exec a && b` would never
 * reach b, and `exec A=1 b` looks for a program called `A=1`. Such strings go to the shell without it and still work.
 */

/** What joins several commands, or runs one in the background. */
const OPERATORS = /[;&|()\n]/;
/** Quoted text and duplicated descriptors (`2>&1`) hold such characters without meaning them. */
const HARMLESS = /'[^']*'|"(?:[^"\\]|\\[^])*"|\d*[<>]&(?:\d+|-)/g;
const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*=/;
/** Words that the shell itself understands and that no program stands behind. */
const SHELL_WORDS: ReadonlySet<string> = new Set(
  '. : ! [ { alias break case cd command continue eval exec exit export for if local read readonly return set shift source test time trap ulimit umask unset until wait while'.split(
    ' ',
  ),
);

/** Program and arguments to spawn for a command as intent writes it. A list comes back unchanged. */
export function commandArguments(command: string | readonly string[]): readonly string[] {
  if (typeof command !== 'string') return command;
  const text = command.trim();
  return ['/bin/sh', '-c', isPlain(text) ? `exec ${text}` : text];
}

/** One line for people. */
export function commandText(command: string | readonly string[]): string {
  return typeof command === 'string' ? command : command.join(' ');
}

/** Errs on the safe side: a string taken for several commands only loses the `exec`; signals go to the whole group. */
function isPlain(text: string): boolean {
  const first = text.split(/\s/, 1)[0] ?? '';
  if (first === '' || ASSIGNMENT.test(text) || SHELL_WORDS.has(first)) return false;
  return !OPERATORS.test(text.replaceAll(HARMLESS, ' '));
}
