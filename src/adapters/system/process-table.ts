/**
 * Reads the operating system's process list: /proc on Linux, `ps` elsewhere. Only reads; who may be ended is decided
 * by whoever asks.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { ProcessInfo, ProcessTable } from '../../ports.ts';
import { bootId } from './boot-id.ts';
import { createPsProcessTable } from './ps-process-table.ts';

/** The table for the system that we run on. */
export function createProcessTable(platform: NodeJS.Platform = process.platform): ProcessTable {
  return platform === 'linux' ? createLinuxProcessTable() : createPsProcessTable(platform);
}

/** Reads /proc without waiting for a disk, so its calls are synchronous inside. */
function createLinuxProcessTable(): ProcessTable {
  // Start times count from boot, so only with the boot's id do they name one process for ever.
  const boot = bootId();
  const running = (): readonly ProcessInfo[] =>
    pids()
      .map((pid) => readStat(pid, boot))
      .filter((entry): entry is ProcessInfo => entry?.state === 'running');
  return {
    readProcess: (pid) => Promise.resolve(readStat(pid, boot)),
    processesInGroup: (group) => Promise.resolve(running().filter((entry) => entry.group === group)),
    findByEnvironment: (marker) => {
      const wanted = Buffer.from(`\0${marker}\0`);
      const found = pids().filter((pid) => environmentHolds(pid, wanted));
      return Promise.resolve(
        found
          .map((pid) => readStat(pid, boot))
          .filter((entry): entry is ProcessInfo => entry?.state === 'running'),
      );
    },
  };
}

function pids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .toSorted((a, b) => a - b);
}

function readStat(pid: number, boot: string): ProcessInfo | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The name stands in brackets and may hold brackets and blanks itself: fields count from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  const started = fields[19];
  if (state === undefined || group === undefined || started === undefined) return null;
  const dead = state === 'Z' || state === 'X' || state === 'x';
  return { pid, startTime: `${boot}:${started}`, state: dead ? 'zombie' : 'running', group: Number(group) };
}

function environmentHolds(pid: number, wanted: Buffer): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`);
    return Buffer.concat([Buffer.from('\0'), environment, Buffer.from('\0')]).includes(wanted);
  } catch {
    // Another user's process, or gone meanwhile.
    return false;
  }
}
