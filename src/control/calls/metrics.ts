/** The control loop's figures, in the shape that the API renders. */
import type { Metric } from '../../model/control-plane.ts';
import { TERMINAL } from '../../model/commit-record.ts';
import type { ProxyStats } from '../../ports.ts';
import { isHealthy } from './app-view.ts';
import type { Context } from '../context.ts';

export async function collectMetrics(
  ctx: Context,
  counters: ReadonlyMap<string, number>,
): Promise<readonly Metric[]> {
  const stats = await ctx.ports.proxy.stats();
  const events = [...counters].map(([type, value]) => sample(value, { type }));
  return [
    ...appMetrics(ctx),
    ...commitMetrics(ctx),
    ...proxyMetrics(stats.ok ? stats.value : null),
    counter('mainstay_events_total', 'Events by type.', events),
  ];
}

function appMetrics(ctx: Context): readonly Metric[] {
  const apps = [...ctx.state.apps.values()].filter((app) => ctx.state.intent?.apps.has(app.name) === true);
  const healthy = apps.map((app) => sample(isHealthy(ctx, app) ? 1 : 0, { app: app.name }));
  const instances = apps.map((app) => sample(app.instances.length, { app: app.name }));
  return [
    gauge('mainstay_app_healthy', 'Whether the live version of an app is healthy.', healthy),
    gauge('mainstay_app_instances', 'Processes of an app, those that drain included.', instances),
    gauge('mainstay_units_blocked', 'Units that are not as wanted and are left alone for now.', [
      sample(ctx.state.plan?.blocked.length ?? 0),
    ]),
  ];
}

function commitMetrics(ctx: Context): readonly Metric[] {
  const state = ctx.state.record?.state;
  const states = ['pending', 'converging', ...TERMINAL].map((name) =>
    sample(name === state ? 1 : 0, { state: name }),
  );
  return [
    gauge('mainstay_commit_state', 'State of the current intent commit: 1 for the one that holds.', states),
    gauge('mainstay_notes_due', 'Notes that are not on their ref yet.', [
      sample(ctx.ports.store.commits.unnotedCount()),
    ]),
  ];
}

function proxyMetrics(stats: ProxyStats | null): readonly Metric[] {
  const each = Object.entries(stats?.generations ?? {});
  const by = (key: 'inFlight' | 'requests' | 'errors'): Metric['samples'] =>
    each.map(([generation, figures]) => sample(figures[key], { generation }));
  return [
    gauge('mainstay_proxy_up', 'Whether the proxy answers.', [sample(stats === null ? 0 : 1)]),
    gauge('mainstay_proxy_resident_bytes', 'Resident memory of the proxy.', [sample(stats?.rssBytes ?? 0)]),
    gauge('mainstay_proxy_in_flight', 'Requests in flight, by generation.', by('inFlight')),
    counter('mainstay_proxy_requests_total', 'Requests accepted, by generation.', by('requests')),
    counter(
      'mainstay_proxy_errors_total',
      'Requests that could not be passed on, by generation.',
      by('errors'),
    ),
  ];
}

function sample(value: number, labels: Readonly<Record<string, string>> = {}): Metric['samples'][number] {
  return { labels, value };
}

function gauge(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, help, type: 'gauge', samples };
}

function counter(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, help, type: 'counter', samples };
}
