/** Tells a person before the disk is full: once, and again only after there was room in between. */
import type { DiskRoom } from '../ports.ts';
import { clearAlert, raiseAlert } from './alerts.ts';
import type { Context } from './context.ts';

const EVERY_MS = 30_000;
/** Pressure: less than this share and less than this many bytes free, or hardly anything at all. */
const LOW = { share: 0.1, bytes: 1024 ** 3, floorBytes: 64 * 1024 ** 2 };

export async function watchDisk(ctx: Context): Promise<void> {
  while (!ctx.signal.aborted) {
    const room = await ctx.ports.disk.free();
    if (room !== null && ctx.state.intent !== null) judgeRoom(ctx, room);
    await ctx.ports.clock.sleep(ctx.state.intent === null ? 1000 : EVERY_MS, ctx.signal);
  }
}

function judgeRoom(ctx: Context, room: DiskRoom): void {
  const low =
    room.freeBytes < LOW.floorBytes ||
    (room.freeBytes < LOW.bytes && room.freeBytes < LOW.share * room.totalBytes);
  const mib = (bytes: number): number => Math.round(bytes / 1024 ** 2);
  if (low)
    raiseAlert(
      ctx,
      'disk-pressure',
      'data',
      `${mib(room.freeBytes)} MiB of ${mib(room.totalBytes)} MiB are free where Mainstay keeps its data`,
    );
  else clearAlert(ctx, 'disk-pressure', 'data');
}
