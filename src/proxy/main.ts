/**
 * Entry of the proxy process: `node main.js proxy --data DATA`. Decides only what is kept out of memory before
 * anything is imported.
 */
import type * as Http from 'node:http';

/**
 * node:http offers the browser's WebSocket classes behind getters, and a plain import reads every getter: some four
 * megabytes of a client that a proxy never uses.
 */
const UNUSED = ['WebSocket', 'CloseEvent', 'MessageEvent'];

const http: typeof Http = process.getBuiltinModule('node:http');
for (const name of UNUSED) Object.defineProperty(http, name, { value: undefined, configurable: true });
const { runProxy } = await import('./run.ts');
await runProxy(process.argv);
