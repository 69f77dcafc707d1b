/** Figures in the Prometheus text format: what the control loop counts, what the API counts, and the process itself. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metric } from '../model/control-plane.ts';

/** Pure. Backslash, quote and line end are escaped as the format wants it; a value that is no number is `NaN`. */
export function renderMetrics(metrics: readonly Metric[]): string {
  const lines: string[] = [];
  for (const { name, help, type, samples } of metrics) {
    lines.push(
      `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${name} ${type}`,
    );
    for (const { labels, value } of samples) lines.push(`${name}${renderLabels(labels)} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

export interface ApiCounts {
  /** By route id and status: both are known beforehand, so the number of series is bounded. */
  request(route: string, status: number, seconds: number): void;
  readonly streams: { open: number };
  read(): readonly Metric[];
  close(): void;
}

const LAG_RESOLUTION_MS = 200;

export function createApiCounts(): ApiCounts {
  const requests = new Map<
    string,
    { readonly labels: { route: string; status: string }; count: number; seconds: number }
  >();
  const streams = { open: 0 };
  const delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  delay.enable();
  return {
    streams,
    request: (route, status, seconds) => {
      const key = `${route} ${status}`;
      const entry = requests.get(key) ?? { labels: { route, status: String(status) }, count: 0, seconds: 0 };
      entry.count += 1;
      entry.seconds += seconds;
      requests.set(key, entry);
    },
    read: () => {
      const all = [...requests.values()];
      // The histogram holds whole intervals between two ticks of its timer, on time or not.
      const lagSeconds = Math.max(0, delay.percentile(99) / 1e9 - LAG_RESOLUTION_MS / 1000);
      delay.reset();
      return [
        counter(
          'mainstay_http_requests_total',
          'Requests that were answered.',
          all.map(({ labels, count }) => ({ labels, value: count })),
        ),
        counter(
          'mainstay_http_request_seconds_total',
          'Time spent on them, waits included.',
          all.map(({ labels, seconds }) => ({ labels, value: seconds })),
        ),
        gauge('mainstay_http_streams_open', 'Streams and long waits that are open.', streams.open),
        ...processMetrics(lagSeconds),
      ];
    },
    close: () => delay.disable(),
  };
}

function processMetrics(lagSeconds: number): readonly Metric[] {
  const cpu = process.cpuUsage();
  return [
    gauge(
      'mainstay_process_resident_memory_bytes',
      'Resident memory of the daemon.',
      process.memoryUsage.rss(),
    ),
    counter('mainstay_process_cpu_seconds_total', 'Processor time used by the daemon.', [
      { labels: {}, value: (cpu.user + cpu.system) / 1e6 },
    ]),
    gauge('mainstay_process_uptime_seconds', 'How long the daemon has run.', process.uptime()),
    gauge(
      'mainstay_event_loop_lag_seconds',
      '99th percentile of the event loop delay since the last reading.',
      lagSeconds,
    ),
  ];
}

function counter(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, help, type: 'counter', samples };
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, type: 'gauge', samples: [{ labels: {}, value }] };
}
