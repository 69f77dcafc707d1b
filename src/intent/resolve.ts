/**
 * All documents of a commit to its Intent: what they say about each other. Valid documents are cross-checked also when
 * others are broken, but nothing is called missing that may stand in a broken one.
 */
import type { Intent, System } from '../model/intent.ts';
import { checkAfter } from './check-after.ts';
import { checkPorts } from './check-ports.ts';
import type { Complaint, PlacedApp } from './complaint.ts';
import { type Diagnostic, hasErrors } from './diagnostic.ts';
import type { ParsedFile } from './file.ts';
import { problem, toDiagnostics } from './lines.ts';
import { valueRange } from './locate.ts';
import { readYaml } from './read-yaml.ts';
import { shown } from './words.ts';

/** The one file that holds the System document. */
const SYSTEM_FILE = 'mainstay.yaml';

interface Placed<T> {
  readonly value: T;
  readonly file: ParsedFile;
  readonly index: number;
}

/** The intent of a commit, null when anything is wrong; all diagnostics, those of the files included, in order. */
export function resolveIntent(
  commit: string,
  files: readonly ParsedFile[],
): { readonly intent: Intent | null; readonly diagnostics: readonly Diagnostic[] } {
  const systems: Placed<System>[] = [];
  const apps: PlacedApp[] = [];
  for (const file of files) {
    for (const { document, index } of file.documents) {
      if (document.kind === 'System') systems.push({ value: document.value, file, index });
      else apps.push({ app: document.value, file, index });
    }
  }
  const complaints = [
    ...checkSystems(systems),
    ...checkNames(systems, apps),
    ...checkPorts(apps),
    ...checkAfter(apps, brokenNames(files)),
  ];
  const diagnostics = [
    ...files.flatMap((file) => file.diagnostics),
    ...complaints.map(placed),
    ...(systems.length === 0 ? missingSystem(files) : []),
  ].toSorted(inOrder);
  const system = systems[0]?.value;
  if (system === undefined || hasErrors(diagnostics)) return { intent: null, diagnostics };
  const named = new Map(apps.map(({ app }) => [app.name, app]));
  const places = new Map(apps.map(({ app, file }) => [app.name, file.path]));
  places.set(system.name, SYSTEM_FILE);
  return { intent: { commit, system, apps: named, files: places }, diagnostics };
}

/** Names of broken documents; null among them when one could not even be named. */
function brokenNames(files: readonly ParsedFile[]): ReadonlySet<string | null> {
  return new Set(files.flatMap((file) => file.broken));
}

function checkSystems(systems: readonly Placed<System>[]): Complaint[] {
  const first = systems.find(({ file }) => file.path === SYSTEM_FILE) ?? systems[0];
  return systems.flatMap(({ file, index }): Complaint[] => {
    const at = { file, index, path: ['kind'] };
    if (file.path !== SYSTEM_FILE) {
      return [
        {
          ...at,
          code: 'system-misplaced',
          message: `the System document belongs in ${SYSTEM_FILE}: move it there`,
        },
      ];
    }
    if (file === first?.file && index === first.index) return [];
    return [{ ...at, code: 'duplicate-system', message: 'there is a System document already: keep one' }];
  });
}

function checkNames(systems: readonly Placed<System>[], apps: readonly PlacedApp[]): Complaint[] {
  const taken = new Map<string, string>();
  const system = systems[0];
  if (system !== undefined) taken.set(system.value.name, `the System in ${system.file.path}`);
  return apps.flatMap(({ app, file, index }) => {
    const other = taken.get(app.name);
    if (other === undefined) {
      taken.set(app.name, `the App in ${file.path}`);
      return [];
    }
    const message = `the name ${shown(app.name)} is taken by ${other}: choose another one`;
    return [{ file, index, path: ['name'], code: 'duplicate-name', message }];
  });
}

function missingSystem(files: readonly ParsedFile[]): Diagnostic[] {
  const file = files.find(({ path }) => path === SYSTEM_FILE);
  if (file !== undefined && file.broken.length > 0) return [];
  const message = `a repository of intent needs one System document in ${SYSTEM_FILE}: write \`kind: System\` into it`;
  const start = problem('system-missing', message, { start: 0, end: 1 });
  return toDiagnostics(SYSTEM_FILE, file?.text ?? '', [start]).map((each) =>
    file === undefined ? { ...each, source: null } : each,
  );
}

/** Only a complaint pays for finding its place: positions are not kept. */
function placed({ file, index, path, code, message }: Complaint): Diagnostic {
  const doc = readYaml(file.text).documents[index]?.doc;
  const range = doc === undefined ? { start: 0, end: 1 } : valueRange(doc, path);
  const [diagnostic] = toDiagnostics(file.path, file.text, [{ severity: 'error', code, message, ...range }]);
  if (diagnostic === undefined) throw new Error('one problem gives one diagnostic');
  return diagnostic;
}

function inOrder(a: Diagnostic, b: Diagnostic): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
