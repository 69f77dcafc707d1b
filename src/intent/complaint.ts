/** What the cross-document checks read and say; resolve.ts places their complaints in the text. */
import type { App } from '../model/intent.ts';
import type { DiagnosticCode } from './codes.ts';
import type { ParsedFile } from './file.ts';
import type { Path } from './locate.ts';

/** A valid App and where it stands. */
export interface PlacedApp {
  readonly app: App;
  readonly file: ParsedFile;
  readonly index: number;
}

/** What a cross-document check has to say, at a path of a document. */
export interface Complaint {
  readonly file: ParsedFile;
  readonly index: number;
  readonly path: Path;
  readonly code: DiagnosticCode;
  readonly message: string;
}
