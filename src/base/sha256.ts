/**
 * SHA-256 (FIPS 180-4) of text, in plain arithmetic: the pure middle names things by content without importing
 * `node:crypto`. For identities of small documents only; bulk hashing belongs to the edges.
 */

const K = constants();

/** Hex digest of the UTF-8 bytes of `text`. */
export function sha256(text: string): string {
  const state = new Uint32Array([
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  ]);
  const words = padded(new TextEncoder().encode(text));
  const w = new Uint32Array(64);
  for (let at = 0; at < words.length; at += 16) compress(state, words, at, w);
  return Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('');
}

/** Digest of any JSON value, the same whatever the order of keys. */
export function digestOf(value: unknown): string {
  return sha256(canonical(value));
}

/** JSON with sorted keys; undefined members are left out. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

function padded(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array((((bytes.length + 8) >> 6) + 1) * 16);
  bytes.forEach((byte, i) => (words[i >> 2] = (words[i >> 2] ?? 0) | (byte << (24 - (i % 4) * 8))));
  words[bytes.length >> 2] = (words[bytes.length >> 2] ?? 0) | (0x80 << (24 - (bytes.length % 4) * 8));
  words[words.length - 2] = Math.floor((bytes.length * 8) / 2 ** 32);
  words[words.length - 1] = bytes.length * 8;
  return words;
}

function compress(state: Uint32Array, words: Uint32Array, at: number, w: Uint32Array): void {
  for (let i = 0; i < 16; i++) w[i] = n(words[at + i]);
  for (let i = 16; i < 64; i++) {
    const a = n(w[i - 15]);
    const b = n(w[i - 2]);
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    w[i] = n(w[i - 16]) + s0 + n(w[i - 7]) + s1;
  }
  let [a, b, c, d, e, f, g, h] = Array.from(state) as Eight;
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + n(K[i]) + n(w[i])) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] = n(state[i]) + word));
}

type Eight = [number, number, number, number, number, number, number, number];

function rotate(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by));
}

function n(x: number | undefined): number {
  return x ?? 0;
}

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
function constants(): Uint32Array {
  const out = new Uint32Array(64);
  const isPrime = (x: number): boolean => {
    for (let d = 2; d * d <= x; d++) if (x % d === 0) return false;
    return true;
  };
  for (let i = 0, x = 2; i < 64; x++) if (isPrime(x)) out[i++] = (Math.cbrt(x) % 1) * 2 ** 32;
  return out;
}
