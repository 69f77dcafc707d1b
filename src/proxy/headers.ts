/**
 * Which headers go through the proxy, both ways. Decides hop-by-hop and forwarded headers; frames nothing itself, but
 * never lets a client take away what frames a body.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** Meant for one connection only (RFC 9110 §7.6.1), and what old clients use for the same. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A client that names one of these in `Connection` would unframe its body or lose its address: never obeyed. */
const NEVER_NAMED: ReadonlySet<string> = new Set([
  'content-length',
  'host',
  'transfer-encoding',
  'content-type',
  'content-encoding',
]);

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;

/** Request headers as the app gets them. Takes `Connection` apart, adds where the request came from. */
export function requestHeaders(request: IncomingMessage, host: string): IncomingHttpHeaders {
  const from = request.headers;
  const named = namedInConnection(from.connection);
  const to: IncomingHttpHeaders = {};
  for (const name in from) {
    if (HOP_BY_HOP.has(name) || named.has(name) || name === 'expect') continue;
    to[name] = from[name];
  }
  to.host = host;
  // Framing is kept as it came: without it the client library sends the body of a GET or DELETE bare, and the app
  // would read the body as its next request.
  if (from['transfer-encoding'] !== undefined) to['transfer-encoding'] = 'chunked';
  addForwarded(to, request, host);
  return to;
}

/** Response headers in the order and spelling of the app, as pairs, less what was meant for our connection alone. */
export function responseHeaders(response: IncomingMessage): string[] {
  const named = namedInConnection(response.headers.connection);
  const raw = response.rawHeaders;
  const to: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || named.has(lower)) continue;
    to.push(name, raw[i + 1] ?? '');
  }
  return to;
}

/** True when the request announces a body, by length or in chunks. */
export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function namedInConnection(connection: string | undefined): ReadonlySet<string> {
  const named = new Set<string>();
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return named;
  for (const token of connection.split(',')) {
    const name = token.trim().toLowerCase();
    if (!NEVER_NAMED.has(name)) named.add(name);
  }
  return named;
}

/**
 * The peer's address is appended to what the client claims. Scheme and host are believed only when the peer is on
 * this machine: that is where something that ends TLS in front of us runs; anybody else could lie.
 */
function addForwarded(to: IncomingHttpHeaders, request: IncomingMessage, host: string): void {
  const peer = request.socket.remoteAddress ?? 'unknown';
  const claimed = request.headers['x-forwarded-for'];
  to['x-forwarded-for'] = claimed === undefined ? peer : `${String(claimed)}, ${peer}`;
  const near = LOOPBACK.test(peer);
  to['x-forwarded-proto'] = (near ? request.headers['x-forwarded-proto'] : undefined) ?? 'http';
  to['x-forwarded-host'] = (near ? request.headers['x-forwarded-host'] : undefined) ?? host;
}
