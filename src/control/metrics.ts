/** The control loop's figures, in the shape that the API renders. */
import type { Metric } from '../model/control-plane.ts';
import { TERMINAL } from '../model/commit-record.ts';
import { isHealthy } from './app-view.ts';
import type { Context } from './context.ts';

export async function collectMetrics(
  ctx: Context,
  counters: ReadonlyMap<string, number>,
): Promise<readonly Metric[]> {
  const apps = [...ctx.state.apps.values()].filter((app) => ctx.state.intent?.apps.has(app.name) === true);
  const proxy = await ctx.ports.proxy.stats();
  const generations = proxy.ok ? Object.entries(proxy.value.generations) : [];
  const state = ctx.state.record?.state;
  const gauge = (name: string, help: string, samples: Metric['samples']): Metric => ({
    name,
    help,
    type: 'gauge',
    samples,
  });
  const counter = (name: string, help: string, samples: Metric['samples']): Metric => ({
    name,
    help,
    type: 'counter',
    samples,
  });
  const one = (value: number): Metric['samples'] => [{ labels: {}, value }];
  return [
    gauge(
      'mainstay_app_healthy',
      'Whether the live version of an app is healthy.',
      apps.map((app) => ({ labels: { app: app.name }, value: isHealthy(ctx, app) ? 1 : 0 })),
    ),
    gauge(
      'mainstay_app_instances',
      'Processes of an app, those that drain included.',
      apps.map((app) => ({
        labels: { app: app.name },
        value: app.instances.length,
      })),
    ),
    gauge(
      'mainstay_commit_state',
      'State of the current intent commit: 1 for the one that holds.',
      ['pending', 'converging', ...TERMINAL].map((name) => ({
        labels: { state: name },
        value: name === state ? 1 : 0,
      })),
    ),
    gauge(
      'mainstay_units_blocked',
      'Units that are not as wanted and are left alone for now.',
      one(ctx.state.plan?.blocked.length ?? 0),
    ),
    gauge(
      'mainstay_notes_due',
      'Notes that are not on their ref yet.',
      one(ctx.ports.store.commits.unnotedCount()),
    ),
    gauge('mainstay_proxy_up', 'Whether the proxy answers.', one(proxy.ok ? 1 : 0)),
    gauge(
      'mainstay_proxy_resident_bytes',
      'Resident memory of the proxy.',
      one(proxy.ok ? proxy.value.rssBytes : 0),
    ),
    gauge(
      'mainstay_proxy_in_flight',
      'Requests in flight, by generation.',
      generations.map(([id, stats]) => ({ labels: { generation: id }, value: stats.inFlight })),
    ),
    counter(
      'mainstay_proxy_requests_total',
      'Requests accepted, by generation.',
      generations.map(([id, stats]) => ({ labels: { generation: id }, value: stats.requests })),
    ),
    counter(
      'mainstay_proxy_errors_total',
      'Requests that the proxy could not pass on, by generation.',
      generations.map(([id, stats]) => ({ labels: { generation: id }, value: stats.errors })),
    ),
    counter(
      'mainstay_events_total',
      'Events by type.',
      [...counters].map(([type, value]) => ({ labels: { type }, value })),
    ),
  ];
}
