/**
 * The programs that tests deploy. Their behaviour is data (`version.json`) in the same commit, so each commit is one
 * version; a gate is a URL of the test that the program asks and waits for at a chosen moment.
 */

export interface Version {
  /** What it answers on every path that is not a special one. */
  readonly text: string;
  /** Milliseconds before it listens. */
  readonly boot_ms?: number;
  /** Never listens. */
  readonly deaf?: boolean;
  /** Exits with this code at once. */
  readonly exit_at_boot?: number;
  /** Status of /healthz (200). */
  readonly health?: number;
  /** While this file exists (relative to the slot), /healthz answers 503. */
  readonly sick_file?: string;
  /** Exits right after its first good answer on /healthz. */
  readonly die_after_health?: boolean;
  /** Ignores SIGTERM. */
  readonly stubborn?: boolean;
  /** Exits with code 1 this long after it has begun to listen. */
  readonly crash_after_ms?: number;
  /** Asked (GET) before listening, before answering /healthz, and on SIGTERM before the exit. */
  readonly gates?: { readonly boot?: string; readonly health?: string; readonly term?: string };
  /** Lines that it prints at start. */
  readonly prints?: readonly string[];
}

/** Writes one JSON line for each start and end into $EVENTS_FILE, when that is set. */
export const NODE_SERVER = `'use strict';
const http = require('node:http');
const fs = require('node:fs');
const crypto = require('node:crypto');
const version = JSON.parse(fs.readFileSync('version.json', 'utf8'));
const note = (what) => {
  if (!process.env.EVENTS_FILE) return;
  fs.appendFileSync(process.env.EVENTS_FILE, JSON.stringify({ at: Date.now(), what, pid: process.pid, text: version.text }) + '\\n');
};
const ask = (url) => new Promise((done) => {
  if (!url) return done();
  http.get(url, { agent: false }, (answer) => { answer.resume(); answer.on('end', done); }).on('error', () => done());
});
note('start');
for (const line of version.prints || []) console.log(line);
console.error('starting ' + version.text);
if (version.exit_at_boot !== undefined) { console.error('cannot start: told to exit'); process.exit(version.exit_at_boot); }
process.on('SIGTERM', () => {
  note('term');
  if (version.stubborn) return;
  ask((version.gates || {}).term).then(() => { note('exit'); process.exit(0); });
});
const health = async (response) => {
  await ask((version.gates || {}).health);
  const sick = version.sick_file && fs.existsSync(version.sick_file);
  const status = sick ? 503 : version.health || 200;
  response.writeHead(status).end(sick ? 'sick' : 'health of ' + version.text);
  if (version.die_after_health && status === 200) response.on('finish', () => setImmediate(() => process.exit(1)));
};
const handle = (request, response) => {
  const url = new URL(request.url, 'http://app');
  response.setHeader('x-version', version.text);
  switch (url.pathname) {
    case '/healthz': return void health(response);
    case '/env': return void response.end(JSON.stringify(process.env));
    case '/pid': return void response.end(String(process.pid));
    case '/headers': return void response.end(JSON.stringify(request.headers));
    case '/crash': response.end('bye'); return void setImmediate(() => process.exit(7));
    case '/file': return void fs.readFile(url.searchParams.get('path'), (error, data) => response.writeHead(error ? 404 : 200).end(error ? String(error) : data));
    case '/slow': {
      response.write('begin ');
      return void setTimeout(() => response.end('end of ' + version.text), Number(url.searchParams.get('ms')));
    }
    case '/sse': {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      let n = 0;
      const tick = () => response.write('id: ' + ++n + '\\ndata: ' + version.text + '\\n\\n');
      tick();
      const timer = setInterval(tick, 50);
      return void response.on('close', () => clearInterval(timer));
    }
    case '/echo': return void request.pipe(response);
    default: response.end(version.text + '\\n');
  }
};
const upgrade = (request, socket) => {
  const key = crypto.createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + key + '\\r\\n\\r\\n');
  socket.on('error', () => {});
  socket.on('data', (frame) => {
    if ((frame[0] & 15) === 8) return socket.end(Buffer.from([0x88, 0]));
    const length = frame[1] & 127;
    const mask = frame.subarray(2, 6);
    const text = Buffer.from(frame.subarray(6, 6 + length).map((byte, i) => byte ^ mask[i % 4]));
    const reply = Buffer.concat([Buffer.from(version.text + ':'), text]);
    socket.write(Buffer.concat([Buffer.from([0x81, reply.length]), reply]));
  });
};
const listen = (port) => http.createServer({ keepAliveTimeout: 60000 }, handle).on('upgrade', upgrade).listen(Number(port), '127.0.0.1');
const boot = async () => {
  if (version.deaf) return void setInterval(() => {}, 1000);
  await ask((version.gates || {}).boot);
  if (process.env.INTERNAL_PORT && process.env.LISTEN_INTERNAL !== 'no') listen(process.env.INTERNAL_PORT);
  listen(process.env.PORT).on('listening', () => {
    note('listening');
    if (version.crash_after_ms !== undefined) setTimeout(() => { note('crash'); process.exit(1); }, version.crash_after_ms);
  });
};
setTimeout(boot, version.boot_ms || 0);
`;

/** Asks the gate in its first argument, then writes "setup done" to the file in its second. */
export const NODE_SETUP = `'use strict';
const http = require('node:http');
http.get(process.argv[2], { agent: false }, (answer) => { answer.resume(); answer.on('end', () => process.exit(0)); }).on('error', () => process.exit(0));
`;

/** The same idea in another language: answers its text on every path. */
export const PERL_SERVER = `use strict;
use warnings;
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT}, Listen => 64, ReuseAddr => 1, Proto => 'tcp') or die "listen: $!";
$SIG{PIPE} = 'IGNORE';
$SIG{TERM} = sub { exit 0 };
while (1) {
  my $client = $server->accept() or next;
  while (my $line = <$client>) { last if $line =~ /^\\r?\\n$/; }
  my $body = "perl PERL_TEXT\\n";
  print $client "HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: " . length($body) . "\\r\\nConnection: close\\r\\n\\r\\n$body";
  close $client;
}
`;
