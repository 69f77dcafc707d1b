/**
 * Writes the hook scripts that git runs for a push. One set serves both ways: a push over HTTP finds the daemon at two
 * pipes that it inherited, a push by path through a small client on a unix socket. They decide nothing themselves.
 */
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { writeFileDurable } from '../system/durable-file.ts';

/** Set in the environment of a receive-pack that the daemon started: the hooks talk on file descriptors 3 and 4. */
export const PIPE_VARIABLE = 'MAINSTAY_PUSH_PIPE';

const HOOKS = ['pre-receive', 'post-receive'];
const CLIENT = 'hook-client.mjs';

/** Idempotent; a running hook keeps the file that it was started from, and none is ever run half written. */
export async function installHooks(hooksDir: string): Promise<void> {
  await mkdir(hooksDir, { recursive: true, mode: 0o700 });
  const client = await readFile(new URL('./hook-client.js', import.meta.url), 'utf8');
  await writeFileDurable(path.join(hooksDir, CLIENT), client, 0o644);
  for (const name of HOOKS) await writeFileDurable(path.join(hooksDir, name), script(name, hooksDir), 0o755);
}

function script(name: string, hooksDir: string): string {
  const refused = name === 'pre-receive' ? 1 : 0;
  const stopped =
    name === 'pre-receive'
      ? 'Mainstay stopped while it was checking this push; start it again and push again'
      : 'Mainstay stopped; the push is stored and is taken up when it runs again';
  return `#!/bin/sh
# Written by Mainstay at every start; edits are lost.
if [ "\${${PIPE_VARIABLE}:-}" = 1 ]; then
  {
    printf 'hook ${name}\\n'
    if [ -n "\${GIT_QUARANTINE_PATH:-}" ]; then
      printf 'objects %s\\n' "\${GIT_OBJECT_DIRECTORY:-}"
      printf 'alternates %s\\n' "\${GIT_ALTERNATE_OBJECT_DIRECTORIES:-}"
    fi
    while IFS= read -r line; do printf 'ref %s\\n' "$line"; done
    printf 'end\\n'
  } >&3 || exit ${refused}
  exec <&4
  while IFS= read -r line; do
    case $line in
      'print '*) printf '%s\\n' "\${line#print }" >&2 ;;
      'exit 0') exit 0 ;;
      'exit '*) exit ${refused} ;;
    esac
  done
  printf '%s\\n' ${quote(stopped)} >&2
  exit ${refused}
fi
hooks=${quote(hooksDir)}
node=${quote(process.execPath)}
if [ ! -x "$node" ] || [ ! -f "$hooks/${CLIENT}" ]; then
  printf '%s\\n' "Mainstay is not running for this repository; start it with 'mainstay serve' and push again" >&2
  exit ${refused}
fi
exec "$node" "$hooks/${CLIENT}" ${name} "$hooks"
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
