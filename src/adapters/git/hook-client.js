/**
 * Takes a push by path to the daemon: sends what git told the hook, prints the lines that come back, ends with the
 * daemon's verdict. Plain JavaScript without dependencies: it is copied beside the hook scripts and run from there.
 * Usage: node hook-client.mjs pre-receive|post-receive HOOKS_DIR
 */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const REFS_MAX_BYTES = 4 * 1024 * 1024;
const CONNECT_LIMIT_MS = 5000;

const [hook = '', hooksDir = ''] = process.argv.slice(2);
const checking = hook === 'pre-receive';
let answered = false;

/** After the refs have moved there is nothing left to refuse. */
function end(code) {
  process.exit(checking ? code : 0);
}

function giveUp(message) {
  say(message);
  end(1);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function refs() {
  const lines = readFileSync(0);
  if (lines.length > REFS_MAX_BYTES) giveUp('error: this push names too many refs; push fewer at once');
  return lines
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `ref ${line}\n`)
    .join('');
}

function user() {
  try {
    return os.userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

function header() {
  const {
    GIT_QUARANTINE_PATH,
    GIT_OBJECT_DIRECTORY = '',
    GIT_ALTERNATE_OBJECT_DIRECTORIES = '',
  } = process.env;
  const quarantine = GIT_QUARANTINE_PATH
    ? `objects ${GIT_OBJECT_DIRECTORY}\nalternates ${GIT_ALTERNATE_OBJECT_DIRECTORIES}\n`
    : '';
  return `hook ${hook}\nby ${user()}\ndir ${process.cwd()}\n${quarantine}`;
}

function answer(line) {
  if (line.startsWith('print ')) say(line.slice(6));
  if (line.startsWith('exit ')) {
    answered = true;
    end(Number(line.slice(5)));
  }
}

// The pusher may be gone: its end of the pipe is not our trouble.
process.stderr.on('error', () => end(1));

const socket = net.connect(socketPath());
const timer = setTimeout(() => socket.destroy(new Error('no answer')), CONNECT_LIMIT_MS);
let connected = false;
let pending = '';
socket.setEncoding('utf8');
socket.on('connect', () => {
  connected = true;
  clearTimeout(timer);
  socket.write(header());
  socket.write(Buffer.from(`${refs()}end\n`, 'latin1'));
});
socket.on('data', (text) => {
  const lines = (pending + text).split('\n');
  pending = lines.pop() ?? '';
  for (const line of lines) answer(line);
});
socket.on('error', () => undefined);
socket.on('close', () => {
  if (answered) return;
  if (!connected)
    giveUp("Mainstay is not running for this repository; start it with 'mainstay serve' and push again");
  if (checking) giveUp('Mainstay stopped while it was checking this push; start it again and push again');
  giveUp('Mainstay stopped; the push is stored and is taken up when it runs again');
});

function socketPath() {
  try {
    return readFileSync(path.join(hooksDir, 'socket'), 'utf8').trim();
  } catch {
    return path.join(hooksDir, 'absent');
  }
}
