/** P4: what one pass costs when everything is as wanted. */
import { median, ms, rounds, spread, type Bench } from './figures.ts';
import { openLargeWorld } from './large-world.ts';

const UNITS = 10_000;
const PURE = /^(clock|random|log|slots\.dir)\b/;
const OBSERVE = 'backend.observe';

export const nothingToDo: Bench = {
  name: 'nothing-to-do',
  ids: ['P4'],
  method:
    'The control loop in one process over 10,000 live apps on the memory backend, with the real repository, store and planner. ' +
    'Each round is one pass; processor time is that of the process, all of its threads. Beside it the observation alone.',
  run: async () => {
    await using world = await openLargeWorld(UNITS);
    const { backend } = world.ctx.ports;
    const [passes, observes]: [number[], number[]] = [[], []];
    for (let n = 0; n < 10; n++) await world.reconciler.pass();
    world.calls.clear();
    const count = rounds(50);
    for (let n = 0; n < count; n++) {
      passes.push(await cpu(() => world.reconciler.pass()));
      observes.push(await cpu(() => backend.observe()));
    }
    const calls = [...world.calls]
      .filter(([name]) => !PURE.test(name))
      .map(([name, times]) => [name, times / count - (name === OBSERVE ? 1 : 0)] as const);
    const other = calls.filter(
      ([name]) => name !== OBSERVE && !name.startsWith('store.') && name !== 'repository.resolve',
    );
    return {
      figures: [
        {
          id: 'P4',
          what: 'a pass with nothing to do, 10,000 units: processor time',
          measured: `${spread(passes)}; asked of ports in a pass: ${calls.map(([name, times]) => `${times} x ${name}`).join(', ')}`,
          beside: `one observation alone p50 ${ms(median(observes))}`,
          target: '<= 50 ms, one observation, nothing else but reading the branch and own records',
          met: median(passes) <= 50 && other.length === 0,
        },
      ],
    };
  },
};

/** Processor time of this process, in milliseconds. */
async function cpu(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
