/** The stages between a blob and Intent; see `parse.ts` (blob to ParsedFile) and `resolve.ts` (files to Intent). */
import type { App, System } from '../model/intent.ts';
import type { Diagnostic } from './diagnostic.ts';

/** A file of the commit as git has it. */
export interface SourceFile {
  readonly path: string;
  readonly oid: string;
  readonly mode: string;
  readonly content: Uint8Array | 'too-large' | 'missing';
}

/** One document with its defaults, valid by itself. */
export type Document =
  | { readonly kind: 'System'; readonly value: System }
  | { readonly kind: 'App'; readonly value: App };

/** The answer for one blob at one path: depends on nothing else, so it is cached by path and oid. */
export interface ParsedFile {
  readonly path: string;
  readonly oid: string;
  /** `index` is the document's place in the file. */
  readonly documents: readonly { readonly document: Document; readonly index: number }[];
  readonly diagnostics: readonly Diagnostic[];
  /** Documents that are wrong and so not in `documents`: their names, null where even that cannot be read. */
  readonly broken: readonly (string | null)[];
  /** Kept so that cross-document errors can be placed. */
  readonly text: string;
}
