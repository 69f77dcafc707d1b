/**
 * The last table on disk, so that a proxy that starts without a daemon serves what was served last. Decides what of
 * a stored table may still be believed.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bootId } from '../adapters/system/boot-id.ts';
import { syncFolder, writeFileDurable } from '../adapters/system/durable-file.ts';
import type { ProxyGeneration, ProxyListener, ProxyRoute, ProxyTable } from '../model/routes.ts';

export interface TableFile {
  /** Durable when it resolves. */
  write(table: ProxyTable): Promise<void>;
  /** Null when there is none that can be read. After a reboot the routes stay, their targets are gone. */
  read(): Promise<ProxyTable | null>;
  /** The proxy was stopped on purpose: nothing is to be served again by itself. */
  remove(): Promise<void>;
}

export function createTableFile(folder: string): TableFile {
  const path = join(folder, 'table.json');
  return {
    async write(table) {
      const text = JSON.stringify({ boot: bootId(), table });
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFileDurable(path, text);
    },
    async read() {
      const stored = parse(await readFile(path, 'utf8').catch(() => ''));
      if (stored === null) return null;
      return stored.boot === bootId() ? stored.table : withoutTargets(stored.table);
    },
    async remove() {
      await rm(path, { force: true });
      await syncFolder(folder);
    },
  };
}

/** A table as it came over the wire or from disk; null unless it has the shape that the proxy relies on. */
export function readTable(value: unknown): ProxyTable | null {
  if (!isRecord(value) || typeof value['version'] !== 'number' || !Array.isArray(value['listeners']))
    return null;
  return value['listeners'].every(isListener)
    ? { version: value['version'], listeners: value['listeners'] }
    : null;
}

function isListener(value: unknown): value is ProxyListener {
  return (
    isRecord(value) && isAddress(value) && Array.isArray(value['routes']) && value['routes'].every(isRoute)
  );
}

function isRoute(value: unknown): value is ProxyRoute {
  if (!isRecord(value) || typeof value['app'] !== 'string' || typeof value['pathPrefix'] !== 'string')
    return false;
  const hosts: unknown = value['hosts'];
  if (!Array.isArray(hosts) || !hosts.every((host) => typeof host === 'string')) return false;
  return value['generation'] === null || isGeneration(value['generation']);
}

function isGeneration(value: unknown): value is ProxyGeneration {
  if (!isRecord(value) || typeof value['id'] !== 'string' || !Array.isArray(value['targets'])) return false;
  return value['targets'].every((target) => isRecord(target) && isAddress(target));
}

function isAddress(value: Record<string, unknown>): boolean {
  const port = value['port'];
  return (
    typeof value['host'] === 'string' &&
    typeof port === 'number' &&
    Number.isInteger(port) &&
    port > 0 &&
    port < 65_536
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): { readonly boot: string; readonly table: ProxyTable } | null {
  try {
    const value: unknown = JSON.parse(text);
    const table = isRecord(value) ? readTable(value['table']) : null;
    return table === null || !isRecord(value) ? null : { boot: String(value['boot']), table };
  } catch {
    return null;
  }
}

/** Ports of a former boot may belong to anything by now. */
function withoutTargets(table: ProxyTable): ProxyTable {
  const listeners = table.listeners.map((listener) => ({
    ...listener,
    routes: listener.routes.map((route) => ({ ...route, generation: null })),
  }));
  return { version: table.version, listeners };
}
