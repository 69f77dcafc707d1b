/**
 * What a schema cannot say about one App: paths that stay inside, sources that are safe to hand to git, names that are
 * not taken. Reads the raw value, so that it also reports beside the schema's complaints.
 */
import type { Document } from 'yaml';
import type { DiagnosticCode } from './codes.ts';
import { escapeOf, normalFolder } from './folder.ts';
import { badRef, badRepo } from './git-names.ts';
import { problem, type Problem } from './lines.ts';
import { keyRange, type Path, valueRange } from './locate.ts';
import { shown } from './words.ts';

/** Folders compared with each other; the schema complains about more. */
const MAX_COMPARED = 100;

type Report = (code: DiagnosticCode, path: Path, message: string) => void;

/** The name of the environment variable that holds a secret's path. */
function secretVariable(name: string): string {
  return `${name.toUpperCase().replaceAll('-', '_')}_FILE`;
}

/** Every complaint about an App document by itself. */
export function checkApp(doc: Document.Parsed, value: unknown): Problem[] {
  const app = mapping(value);
  const found: Problem[] = [];
  const atValue: Report = (code, path, message) => found.push(problem(code, message, valueRange(doc, path)));
  const atKey: Report = (code, path, message) => found.push(problem(code, message, keyRange(doc, path)));
  checkSource(mapping(app['source']), atValue, atKey);
  checkFolders(app, atValue);
  checkEnvironment(app, atValue, atKey);
  checkPorts(app, atValue);
  for (const key of ['hosts', 'after']) checkRepeats(key, texts(app[key]), atValue);
  return found;
}

function checkSource(source: Readonly<Record<string, unknown>>, atValue: Report, atKey: Report): void {
  const { repo, ref, path } = source;
  if (typeof repo === 'string' && repo !== '') {
    const why = badRepo(repo);
    if (why !== null)
      atValue('bad-repo', ['source', 'repo'], `source.repo cannot be ${shown(withoutSecret(repo))}: ${why}`);
    else if (repo !== '.' && !('ref' in source)) {
      const message =
        '`source` needs the key `ref` (a commit, tag or branch), because `repo` is another repository';
      atKey('missing-key', ['source'], message);
    }
  }
  if (typeof ref === 'string' && ref !== '') {
    const why = badRef(ref);
    if (why !== null) atValue('bad-ref', ['source', 'ref'], `source.ref cannot be ${shown(ref)}: ${why}`);
  }
  if (typeof path === 'string') checkFolder('source.path', ['source', 'path'], path, atValue);
}

function withoutSecret(repo: string): string {
  return repo.replace(/\/\/[^/@]*@/, '//...@');
}

function checkFolder(name: string, path: Path, folder: string, report: Report): boolean {
  const absolute = name === 'env_file' || name === 'secrets.file' ? 'absolute-allowed' : 'relative-only';
  const why = folder === '' ? null : escapeOf(folder, absolute);
  if (why !== null) report('path-escapes', path, `${name} cannot be ${shown(folder)}: ${why}`);
  return why === null;
}

function checkFolders(app: Readonly<Record<string, unknown>>, report: Report): void {
  const seen: string[] = [];
  for (const [index, folder] of texts(app['shared_dirs']).slice(0, MAX_COMPARED).entries()) {
    if (folder === null || !checkFolder('shared_dirs', ['shared_dirs', index], folder, report)) continue;
    const normal = normalFolder(folder);
    const other = seen.find(
      (each) => each === normal || each.startsWith(`${normal}/`) || normal.startsWith(`${each}/`),
    );
    if (normal === '.')
      report(
        'path-escapes',
        ['shared_dirs', index],
        'shared_dirs cannot be the whole slot: name a folder in it',
      );
    else if (other !== undefined) {
      report(
        'duplicate-entry',
        ['shared_dirs', index],
        `${shown(folder)} is inside or the same as ${shown(other)}: keep the outer one`,
      );
    }
    seen.push(normal);
  }
  const file = app['env_file'];
  if (typeof file === 'string') checkFolder('env_file', ['env_file'], file, report);
}

function checkEnvironment(app: Readonly<Record<string, unknown>>, atValue: Report, atKey: Report): void {
  const env = mapping(app['env']);
  for (const [name, value] of Object.entries(env)) {
    if (isReserved(name))
      atKey('reserved-env', ['env', name], `${shown(name)} is set by Mainstay itself: choose another name`);
    if (typeof value === 'string' && value.includes('\0')) {
      atValue(
        'control-character',
        ['env', name],
        `the value of ${shown(name)} holds a NUL, which no environment can`,
      );
    }
  }
  const seen = new Map<string, string>();
  for (const [index, item] of items(app['secrets']).entries()) {
    const { name, file } = mapping(item);
    if (typeof file === 'string') checkFolder('secrets.file', ['secrets', index, 'file'], file, atValue);
    if (typeof name !== 'string') continue;
    const variable = secretVariable(name);
    if (isReserved(variable))
      atValue(
        'reserved-env',
        ['secrets', index, 'name'],
        `${shown(variable)} is set by Mainstay itself: choose another name`,
      );
    const taken = variable in env ? 'env' : seen.get(variable);
    if (taken !== undefined) {
      atValue(
        'duplicate-entry',
        ['secrets', index, 'name'],
        `${shown(variable)} is already set by ${shown(taken)}: choose another name`,
      );
    }
    seen.set(variable, name);
  }
}

function isReserved(name: string): boolean {
  return (
    name === 'PORT' || name === 'INTERNAL_PORT' || name === 'SLOT_MACHINE' || name.startsWith('MAINSTAY_')
  );
}

function checkPorts(app: Readonly<Record<string, unknown>>, report: Report): void {
  const { port, internal_port: internal } = app;
  if (typeof port === 'number' && port === internal) {
    report(
      'duplicate-port',
      ['internal_port'],
      `internal_port ${port} is also this app's port: choose another one`,
    );
  }
}

function checkRepeats(key: string, entries: readonly (string | null)[], report: Report): void {
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    if (entry === null) continue;
    if (seen.has(entry))
      report('duplicate-entry', [key, index], `${shown(entry)} is given twice in ${key}: keep one`);
    seen.add(entry);
  }
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: unknown): readonly (string | null)[] {
  return items(value).map((item) => (typeof item === 'string' ? item : null));
}
