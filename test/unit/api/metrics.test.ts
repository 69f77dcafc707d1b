/** The figures keep to the Prometheus text format and to one naming habit. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderMetrics } from '../../../src/api/metrics.ts';
import { startApi } from './start-api.ts';
import type { TestApi } from './start-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startApi();
});

afterAll(() => api.stop());

const TYPE = /^# TYPE (?<name>\S+) (?<type>counter|gauge)$/;
const HELP = /^# HELP (?<name>\S+) \S.*\.$/;
const LABELS = '\\{(?:[a-z_]+="(?:[^"\\\\\\n]|\\\\[\\\\"n])*",?)+\\}';
const SAMPLE = new RegExp(`^(?<series>(?<name>[a-z0-9_]+)(?:${LABELS})?) (?:-?[0-9.e+-]+|NaN)$`);

/** What is wrong with a metrics page, line by line. */
function lint(page: string): string[] {
  const lines = page.split('\n');
  const wrong = lines.pop() === '' ? [] : ['no line end at the end'];
  const types = groupsOf(TYPE, lines);
  const helped = new Set(lines.flatMap((line) => HELP.exec(line)?.groups?.['name'] ?? []));
  const samples = groupsOf(SAMPLE, lines);
  const known = new Set(types.map(({ name }) => name));
  const odd = lines.filter((line) => ![TYPE, HELP, SAMPLE].some((form) => form.test(line)));
  wrong.push(...odd.map((line) => `not the format: ${line}`));
  wrong.push(...types.flatMap(({ name = '', type = '' }) => lintName(name, type)));
  wrong.push(
    ...repeated(types.map(({ name = '' }) => name)),
    ...repeated(samples.map(({ series = '' }) => series)),
  );
  for (const { name = '' } of samples)
    if (!known.has(name) || !helped.has(name)) wrong.push(`${name}: no TYPE or HELP`);
  return wrong;
}

function groupsOf(form: RegExp, lines: readonly string[]): Partial<Record<string, string>>[] {
  return lines.map((line) => form.exec(line)?.groups).filter((groups) => groups !== undefined);
}

function lintName(name: string, type: string): string[] {
  const wrong: string[] = [];
  if (!/^mainstay_[a-z0-9_]+$/.test(name)) wrong.push(`${name}: not mainstay_*`);
  if ((type === 'counter') !== name.endsWith('_total'))
    wrong.push(`${name}: counters, and they alone, end in _total`);
  if (/_(ms|millis|kb|mb)(_|$)/.test(name)) wrong.push(`${name}: base units only (seconds, bytes)`);
  return wrong;
}

function repeated(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name}: twice`);
}

test('the page of a daemon that was asked a few things has no flaws', async () => {
  await api.fetch('/status');
  await api.fetch('/no/such');
  const response = await api.fetch('/metrics');
  const page = await response.text();

  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(lint(page)).toEqual([]);
  expect(page).toContain('mainstay_passes_total 1\n');
  expect(page).toContain('mainstay_http_requests_total{route="status",status="200"} 1\n');
  expect(page).toContain('mainstay_http_requests_total{route="none",status="404"} 1\n');
  expect(page).toMatch(/mainstay_process_resident_memory_bytes [1-9]\d{6,}\n/);
});

test('label values from outside cannot break out of their line', () => {
  const samples = [{ labels: { unit: 'a"b\\c\nd' }, value: 1 }];
  const page = renderMetrics([{ name: 'mainstay_x', help: 'One.', type: 'gauge', samples }]);

  expect(lint(page)).toEqual([]);
  expect(page).toContain('mainstay_x{unit="a\\"b\\\\c\\nd"} 1');
});
