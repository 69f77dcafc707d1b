/**
 * The readers that see a push which is still being checked: one process for all that its check asks, because starting
 * one for each question would take longer than the questions. A quarantine lives as short as its push, and so do they.
 */
import type { Quarantine } from '../../ports.ts';
import { quarantineEnvironment } from './git-command.ts';
import type { Git } from './git-command.ts';
import { openObjectBatch } from './object-batch.ts';
import type { ObjectBatch } from './object-batch.ts';

/** A check that asks nothing for so long has ended. */
const IDLE_MS = 250;

export interface QuarantineReaders {
  lend<T>(quarantine: Quarantine, work: (reader: ObjectBatch) => Promise<T>): Promise<T>;
  /** Ends all of them; who asks later fails. */
  close(): void;
}

interface Reader {
  readonly batch: ObjectBatch;
  borrowers: number;
  end: NodeJS.Timeout | null;
}

export function createQuarantineReaders(git: Git): QuarantineReaders {
  const readers = new Map<string, Reader>();

  const end = (key: string, reader: Reader): void => {
    if (reader.end !== null) clearTimeout(reader.end);
    reader.batch.close();
    readers.delete(key);
  };

  return {
    lend: async (quarantine, work) => {
      const key = `${quarantine.objectDirectory}\n${quarantine.alternates}`;
      const reader = readers.get(key) ?? {
        batch: openObjectBatch(git, quarantineEnvironment(quarantine)),
        borrowers: 0,
        end: null,
      };
      readers.set(key, reader);
      if (reader.end !== null) clearTimeout(reader.end);
      reader.borrowers += 1;
      try {
        return await work(reader.batch);
      } finally {
        reader.borrowers -= 1;
        if (reader.borrowers === 0) reader.end = setTimeout(() => end(key, reader), IDLE_MS).unref();
      }
    },
    close: () => {
      for (const [key, reader] of readers) end(key, reader);
    },
  };
}
