/**
 * What every backend has to do, as tests. A backend brings a harness; an exception needs a written reason and shows up as
 * a skipped test with it. The words behind it are in backends/README.md.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InstanceSpec } from '../../src/model/instance.ts';
import type { Backend } from '../../src/ports.ts';
import { applyAndRemove } from './backend-lifecycle.ts';
import { adoptionAndLogs } from './backend-adoption.ts';

/** The behaviours that the suite needs of an instance. A harness says how each is had on its backend. */
export type Program =
  /** Runs until it is ended; ends at SIGTERM. */
  | 'runs'
  /** Writes the line `ready`, then runs; SIGTERM does nothing. */
  | 'ignores-sigterm'
  /** Ends at once with code 3. */
  | 'exits'
  /** Ends with code 4 after about half a second. */
  | 'exits-later'
  /** Writes the lines one, two, three (the second on stderr where there is one), then runs. */
  | 'talks'
  /** Writes every line that `say` is given, and runs. */
  | 'repeats'
  /** Writes its environment, one NAME=value a line, and ends. */
  | 'shows-environment'
  /** Cannot be started at all. */
  | 'cannot-start';

export interface BackendHarness {
  readonly backend: Backend;
  /** Closes the backend that there is and opens another on the same world, as a restart of the daemon does. */
  readonly reopen: () => Promise<Backend>;
  /** A spec whose instance behaves so. Each call gives another id unless `more` names one. */
  readonly spec: (program: Program, more?: Partial<InstanceSpec>) => InstanceSpec;
  /** Makes an instance of `repeats` write a line. */
  readonly say: (spec: InstanceSpec, text: string) => Promise<void>;
  /** What an instance gets beside the spec's own environment and MAINSTAY_INSTANCE_ID. */
  readonly inherited: Readonly<Record<string, string>>;
  /** Ends everything that is left and removes its folders. */
  readonly cleanup: () => Promise<void>;
}

export interface BackendSuite {
  readonly create: () => Promise<BackendHarness>;
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
}

/** Above every limit inside a test, for machines that are busy. */
const TEST_MS = 60_000;

/** One test of the suite; `use` gives the harness of the test that runs. */
export type Check = (title: string, run: (use: BackendHarness) => Promise<void>) => void;

/** Declares the whole suite for one backend. */
export function describeBackend(name: string, suite: BackendSuite): void {
  describe(`backend ${name}`, () => {
    const titles: string[] = [];
    let harness: BackendHarness;
    beforeEach(async () => {
      harness = await suite.create();
    }, TEST_MS);
    afterEach(async () => {
      await harness.cleanup();
    }, TEST_MS);
    const check: Check = (title, run) => {
      titles.push(title);
      const skipped = suite.skip?.find((one) => one.test === title);
      if (skipped === undefined) it(title, () => run(harness), TEST_MS);
      else it.skip(`${title} (${skipped.reason})`, () => undefined);
    };
    applyAndRemove(check);
    adoptionAndLogs(check);
    it('skips only tests that there are, each with a reason', () => {
      for (const one of suite.skip ?? []) {
        expect(titles).toContain(one.test);
        expect(one.reason.length).toBeGreaterThan(10);
      }
    });
  });
}
